{% macro surrogate_key(column) -%}
    md5(cast({{ column }} as string))
{%- endmacro %}
