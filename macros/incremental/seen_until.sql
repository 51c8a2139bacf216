{#- Streams may write while gold is refreshed. A row that saw some of that must not say that all of it was seen. -#}

{% macro seen_until(timestamp) -%}
    {%- if var('written_to', none) -%}
        {%- set written_to = "timestamp '" ~ var('written_to') ~ "'" -%}
        if({{ timestamp }} > {{ written_to }}, {{ written_to }}, {{ timestamp }})
    {%- else -%}
        {{ timestamp }}
    {%- endif -%}
{%- endmacro %}
