{#- `dbt show` shows all rows, and not only those that a run would add. -#}

{% macro is_incremental() %}
    {{ return(flags.WHICH != 'show' and dbt.is_incremental()) }}
{% endmacro %}
