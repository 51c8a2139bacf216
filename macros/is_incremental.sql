{% macro is_incremental() %}
    {{ return(flags.INTROSPECT and dbt.is_incremental()) }}
{% endmacro %}
