{% materialization incremental, adapter='lakehouse' %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set existing_relation = load_cached_relation(this) %}
    {% set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change')) %}

    {% do adapter.check_strategy(model) %}

    {{ run_hooks(pre_hooks) }}

    {% if existing_relation is none or should_full_refresh() %}
        {% do lakehouse__write_table(target_relation, compiled_code) %}
    {% else %}
        {% set contract = config.get('contract') %}
        {% if contract and contract.enforced %}
            {% do get_assert_columns_equivalent(compiled_code) %}
        {% endif %}
        {% set new_rows = make_temp_relation(target_relation) %}
        {% do adapter.name_query(new_rows, compiled_code) %}
        {% do process_schema_changes(on_schema_change, new_rows, target_relation) %}
        {% do adapter.write_new_rows(target_relation, lakehouse__new_rows(new_rows, target_relation, on_schema_change), model) %}
        {% do adapter.drop_relation(new_rows) %}
        {% do lakehouse__done(compiled_code) %}
    {% endif %}

    {% do apply_grants(target_relation, config.get('grants')) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#- Where changes are ignored, a model writes the columns that its table has, and fails if it lacks one. -#}

{% macro lakehouse__new_rows(new_rows, target_relation, on_schema_change) %}
    {% set columns = '*' %}
    {% if on_schema_change == 'ignore' %}
        {% set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='quoted') | join(', ') %}
    {% endif %}
    {{ return('select ' ~ columns ~ ' from ' ~ new_rows) }}
{% endmacro %}


{% macro lakehouse__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
    {% do adapter.change_columns(relation, add_columns, remove_columns) %}
{% endmacro %}


{% macro lakehouse__alter_column_type(relation, column_name, new_column_type) %}
    {% do adapter.change_type(relation, column_name, new_column_type) %}
{% endmacro %}
