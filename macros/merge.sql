{#- On Spark a merge of nothing costs seconds, a look at its source does not. On Databricks it costs little. -#}

{% macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) %}
    {% if nothing_to_merge() in sql %}
        select 'nothing to merge'
    {% elif rows_to_merge() in sql or run_query('select 1 from ' ~ source ~ ' limit 1') | length > 0 %}
        {{ dbt.spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) }}
    {% else %}
        select 'nothing to merge'
    {% endif %}
{% endmacro %}


{% macro spark__snapshot_merge_sql(target, source, insert_cols) %}
    {% if run_query('select 1 from ' ~ source ~ ' limit 1') | length > 0 %}
        {{ dbt.spark__snapshot_merge_sql(target, source, insert_cols) }}
    {% else %}
        select 'nothing to merge'
    {% endif %}
{% endmacro %}


{#- A model that knows whether it has rows says so in its query, and is not asked. -#}

{% macro nothing_to_merge() %}{{ return('/* nothing to merge */') }}{% endmacro %}


{% macro rows_to_merge() %}{{ return('/* rows to merge */') }}{% endmacro %}
