{% macro newest(timestamp, relation) -%}
    {#- A literal, unlike a subquery, lets an engine skip the files that are older. -#}
    {%- set query = "select cast(max(" ~ timestamp ~ ") as string) from " ~ relation -%}
    {%- set value = run_query(query).columns[0].values()[0] if execute -%}
    timestamp '{{ value or "1970-01-01" }}'
{%- endmacro %}
