{% macro has_rows(relation, condition) %}
    {{ return(execute and run_query('select 1 from ' ~ relation ~ ' where ' ~ condition ~ ' limit 1') | length > 0) }}
{% endmacro %}
