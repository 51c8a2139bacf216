{#- All threads share what Sail has named, so a name tells its schema. -#}

{% macro lakehouse__make_temp_relation(base_relation, suffix) %}
    {% set name = base_relation.schema ~ '__' ~ base_relation.identifier ~ suffix %}
    {{ return(api.Relation.create(identifier=name, type='view').include(database=false, schema=false)) }}
{% endmacro %}


{% macro lakehouse__apply_grants(relation, grant_config, should_revoke=true) %}
    {% if grant_config %}
        {% do log(relation ~ ': grants are ignored; who may read the folder may read the table.', info=true) %}
    {% endif %}
{% endmacro %}


{#- Comments are written with the rows; what is left is to warn of columns that are described and do not exist. -#}

{% macro lakehouse__persist_docs(relation, model, for_relation, for_columns) %}
    {% if for_columns and config.persist_column_docs() and model.columns %}
        {% set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
        {% do validate_doc_columns(relation, model.columns, columns) %}
    {% endif %}
{% endmacro %}


{#- Spark's own takes an element of an array by an expression, which Sail does not. -#}

{% macro lakehouse__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}


{#- Sail's `to_timestamp` takes a number for microseconds, where Spark's takes it for seconds. -#}

{% macro lakehouse__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}


{#- Spark's own gives the rows of `describe`, which have no name. -#}

{% macro lakehouse__get_columns_in_relation(relation) %}
    {{ return(adapter.get_columns_in_relation(relation)) }}
{% endmacro %}
