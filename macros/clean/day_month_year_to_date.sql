{% macro day_month_year_to_date(column) -%}
    cast(try_to_timestamp({{ column }}, 'd/M/yyyy') as date)
{%- endmacro %}
