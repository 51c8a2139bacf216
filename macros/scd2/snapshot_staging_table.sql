{% macro snapshot_staging_table(strategy, source_sql, target_relation) %}
    {% if not strategy.extracts %}
        {{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}
    {% endif %}
    {{ extract_versions(strategy, source_sql, target_relation) }}
{% endmacro %}
