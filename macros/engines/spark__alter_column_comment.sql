{#- One commit for all comments of a table; dbt-spark makes one for each. -#}

{% macro spark__alter_column_comment(relation, column_dict) %}
    {% if target.type != 'spark' %}{{ return(dbt.databricks__alter_column_comment(relation, column_dict)) }}{% endif %}
    {% set comments = [] %}
    {% for column in column_dict.values() if column.description %}
        {% set comment = column.description | replace('\\', '\\\\') | replace("'", "\\'") %}
        {% do comments.append(adapter.quote(column.name) ~ " comment '" ~ comment ~ "'") %}
    {% endfor %}
    {% if comments %}
        {% do run_query('alter table ' ~ relation ~ ' alter column ' ~ comments | join(', ')) %}
    {% endif %}
{% endmacro %}
