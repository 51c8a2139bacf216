{#- On Spark a merge of nothing costs seconds, a look at its source does not. On Databricks it costs little. -#}

{% macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) %}
    {% set within = config.get('merge_within') %}
    {% if nothing_to_merge() in sql %}
        {% set has_rows = false %}
    {% elif within %}
        {# Else it would be computed here, and twice by the merge. #}
        {% do run_query('cache table ' ~ source) %}
        {% set range = run_query('select min(' ~ within ~ '), max(' ~ within ~ ') from ' ~ source).rows[0] %}
        {% set has_rows = range[0] is not none %}
    {% else %}
        {% set has_rows = rows_to_merge() in sql or run_query('select 1 from ' ~ source ~ ' limit 1') | length > 0 %}
    {% endif %}

    {% if not has_rows %}
        select 'nothing to merge'
    {% else %}
        {% set predicates = (incremental_predicates or []) | list %}
        {% if within %}
            {# Files that hold none of these are neither read nor written again. #}
            {% do predicates.append(
                "DBT_INTERNAL_DEST." ~ within ~ " between '" ~ escape_single_quotes(range[0]) ~ "' and '"
                ~ escape_single_quotes(range[1]) ~ "'"
            ) %}
        {% endif %}
        {{ dbt.spark__get_merge_sql(target, source, unique_key, dest_columns, predicates) }}
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
