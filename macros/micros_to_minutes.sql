{% macro micros_to_minutes(column) -%}
    {{ divide(column, 60000000) }}
{%- endmacro %}
