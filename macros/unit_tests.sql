{#-
    Unit tests as dbt runs them but for two things: rows are VALUES in the place of a union, for each row of which
    Spark would run a task, and the types of a model's columns come from an empty query in the place of a view that
    is made, described and dropped.
-#}

{% materialization unit, adapter='spark' %}
    {% set types = {} %}
    {% set quoted = {} %}
    {% for column in adapter.get_column_schema_from_query(get_empty_subquery_sql(sql)) %}
        {% do types.update({column.name | lower: column.data_type}) %}
        {% do quoted.update({column.name | lower: column.quoted}) %}
    {% endfor %}

    {% set rows = config.get('expected_rows') %}
    {% set expected_sql = config.get('expected_sql') or get_expected_sql(rows, types, quoted) %}
    {% set quoted_columns = [] %}
    {% for column in (rows[0] if rows else types) %}
        {% do quoted_columns.append(quoted[column | lower]) %}
    {% endfor %}

    {% call statement('main', fetch_result=true) %}
        {{ get_unit_test_sql(sql, expected_sql, quoted_columns) }}
    {% endcall %}
    {{ return({'relations': []}) }}
{% endmaterialization %}


{# An empty query has no precision of decimals there. #}
{% materialization unit, adapter='databricks' %}
    {{ return(dbt.materialization_unit_default()) }}
{% endmaterialization %}


{% macro get_fixture_sql(rows, column_name_to_data_types) %}
    {% set types = dict(column_name_to_data_types or {}) %}
    {% if not types %}
        {% for column in columns_with_types(this) %}
            {% do types.update({column.name | lower: column.data_type}) %}
        {% endfor %}
    {% endif %}
    {% if rows and types %}
        {{ return(rows_as_values(rows, types, types.keys())) }}
    {% endif %}
    {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{% endmacro %}


{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
    {% if rows %}
        {{ return(rows_as_values(rows, column_name_to_data_types, rows[0].keys() | map('lower'))) }}
    {% endif %}
    {{ return(dbt.get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted)) }}
{% endmacro %}


{% macro rows_as_values(rows, types, columns) %}
    {% set columns = columns | list %}
    {% set tuples = [] %}
    {% for row in rows %}
        {% set cells = format_row(row, types) %}
        {% set values = [] %}
        {% for column in columns %}
            {% do values.append(cells[column] if column in cells else safe_cast('null', types[column])) %}
        {% endfor %}
        {% do tuples.append('(' ~ values | map('trim') | join(', ') ~ ')') %}
    {% endfor %}
    {{ return('select * from values ' ~ tuples | join(', ') ~ ' as rows (`' ~ columns | join('`, `') ~ '`)') }}
{% endmacro %}


{# An empty query tells the types as well as `describe` does, in less time, except on Databricks, where a decimal
   has no precision then. #}
{% macro columns_with_types(relation) %}
    {% if target.type == 'databricks' %}
        {{ return(adapter.get_columns_in_relation(relation)) }}
    {% endif %}
    {{ return(adapter.get_column_schema_from_query('select * from ' ~ relation ~ ' limit 0')) }}
{% endmacro %}
