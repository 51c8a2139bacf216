{% macro looks_at_tables() %}
    {{ return(execute and flags.INTROSPECT and flags.WHICH != 'generate') }}
{% endmacro %}
