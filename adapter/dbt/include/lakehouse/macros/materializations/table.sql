{% materialization table, adapter='lakehouse' %}
    {{ return(lakehouse__build_table()) }}
{% endmaterialization %}


{#-
    Built as a table: a view of Sail's lasts as long as the process, and a file with SQL in it could be read by
    dbt alone, while every reader of Delta opens a table.
-#}

{% materialization view, adapter='lakehouse' %}
    {{ return(lakehouse__build_table()) }}
{% endmaterialization %}


{% macro lakehouse__build_table() %}
    {% set target_relation = this.incorporate(type='table') %}
    {{ run_hooks(pre_hooks) }}
    {% do lakehouse__write_table(target_relation, compiled_code) %}
    {% do apply_grants(target_relation, config.get('grants')) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}


{% macro lakehouse__write_table(target_relation, sql) %}
    {% set contract = config.get('contract') %}
    {% if contract and contract.enforced %}
        {% do get_assert_columns_equivalent(sql) %}
        {% set sql = get_select_subquery(sql) %}
    {% endif %}
    {% do adapter.write_table(target_relation, sql, model) %}
    {% do lakehouse__done(sql) %}
{% endmacro %}


{#- dbt asks every materialization for the result of a statement of this name, and keeps its SQL in target/run. -#}

{% macro lakehouse__done(sql) %}
    {% call noop_statement('main', 'OK', 'OK') %}{{ sql }}{% endcall %}
{% endmacro %}
