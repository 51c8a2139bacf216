{% macro newest_each(timestamps, relation) -%}
    {#- As `newest`, in one query. -#}
    {%- set columns = [] -%}
    {%- for timestamp in timestamps -%}
        {%- do columns.append('cast(max(' ~ timestamp ~ ') as string)') -%}
    {%- endfor -%}
    {%- set row = run_query('select ' ~ columns | join(', ') ~ ' from ' ~ relation).rows[0] if execute -%}
    {%- set literals = {} -%}
    {%- for timestamp in timestamps -%}
        {%- do literals.update({timestamp: "timestamp '" ~ (row[loop.index0] or '1970-01-01') ~ "'"}) -%}
    {%- endfor -%}
    {{ return(literals) }}
{%- endmacro %}
