{% macro is_incremental() %}
    {{ return(looks_at_tables() and dbt.is_incremental()) }}
{% endmacro %}
