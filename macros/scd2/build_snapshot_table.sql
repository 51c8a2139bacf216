{# dbt calls these two for the first and for every later run; other strategies go the usual way. #}
{% macro build_snapshot_table(strategy, sql) %}
    {% if not strategy.extracts %}
        {{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}
    {% endif %}
    {{ extract_versions(strategy, sql) }}
{% endmacro %}
