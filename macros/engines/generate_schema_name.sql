{#- Production's tables lie in `silver`, `gold` and so on, those of a target with schema alice in `alice_silver`, `alice_gold`. -#}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = custom_schema_name | default(target.schema, true) | trim -%}
    {{ schema if target.schema in ['gold', schema] else target.schema ~ '_' ~ schema }}
{%- endmacro %}
