{% macro micros_to_minutes(column) -%}
    cast(round(cast({{ column }} as decimal(20, 0)) / 60000000, 2) as decimal(18, 2))
{%- endmacro %}
