{% macro erp_customer_number(column) -%}
    replace(regexp_replace(trim({{ column }}), '^NAS', ''), '-', '')
{%- endmacro %}
