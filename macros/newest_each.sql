{% macro newest_each(timestamps, relation) -%}
    {#- As `newest`, in one query, or none while streams run: they know what was there at the last refresh. -#}
    {%- if var('refreshed_to', none) -%}
        {%- set newest = [var('refreshed_to')] * timestamps | length -%}
    {%- elif execute -%}
        {%- set columns = [] -%}
        {%- for timestamp in timestamps -%}
            {%- do columns.append('cast(max(' ~ timestamp ~ ') as string)') -%}
        {%- endfor -%}
        {%- set newest = run_query('select ' ~ columns | join(', ') ~ ' from ' ~ relation).rows[0] -%}
    {%- endif -%}
    {%- set literals = {} -%}
    {%- for timestamp in timestamps -%}
        {%- do literals.update({timestamp: "timestamp '" ~ (newest[loop.index0] or '1970-01-01') ~ "'"}) -%}
    {%- endfor -%}
    {{ return(literals) }}
{%- endmacro %}
