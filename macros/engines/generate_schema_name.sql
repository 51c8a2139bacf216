{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else default__generate_schema_name(none, node) }}
{%- endmacro %}
