{% macro record_key(source, source_id) -%}
    {{ surrogate_key("concat_ws('|', " ~ source ~ ", cast(" ~ source_id ~ " as string))") }}
{%- endmacro %}
