{#-
    On Spark a merge computes its source twice, and costs seconds even when there is nothing. So a few rows are found
    first and merged as VALUES. On Databricks that is not worth it.
-#}

{% macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) %}
    {% set within = config.get('merge_within') %}
    {% set has_rows = true %}
    {% if nothing_to_merge() in sql %}
        {% set has_rows = false %}
    {% elif within %}
        {# Else it would be computed here, and twice by the merge. #}
        {% do run_query('cache table ' ~ source) %}
        {% set range = run_query('select min(' ~ within ~ '), max(' ~ within ~ ') from ' ~ source).rows[0] %}
        {% set has_rows = range[0] is not none %}
    {% else %}
        {% set types = {} %}
        {% for column in adapter.get_columns_in_relation(target) %}
            {% do types.update({column.name: column.dtype}) %}
        {% endfor %}
        {% set rows = few_rows(sql, types) %}
        {% if rows == '' %}
            {% set has_rows = false %}
        {% elif rows is not none %}
            {% set source = '(' ~ rows ~ ')' %}
        {% endif %}
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


{#- A model that knows that it has no rows says so in its query, and is not asked. -#}

{% macro nothing_to_merge() %}{{ return('/* nothing to merge */') }}{% endmacro %}
