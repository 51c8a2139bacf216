{% materialization snapshot, adapter='lakehouse' %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set exists = load_cached_relation(this) is not none %}

    {{ run_hooks(pre_hooks) }}

    {% set strategy_macro = strategy_dispatch(config.get('strategy')) %}
    {% set strategy = strategy_macro(model, 'snapshotted_data', 'source_data', model['config'], exists) %}
    {% if not exists %}
        {% set sql = build_snapshot_table(strategy, model['compiled_code']) %}
        {% do adapter.write_table(target_relation, sql, model) %}
    {% else %}
        {% set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() %}
        {% do adapter.assert_valid_snapshot_target_given_strategy(target_relation, columns, strategy) %}
        {% set sql = snapshot_staging_table(strategy, compiled_code, target_relation) %}
        {% do adapter.write_snapshot(target_relation, sql, model, columns, config.get('dbt_valid_to_current')) %}
    {% endif %}
    {% do lakehouse__done(sql) %}

    {% do apply_grants(target_relation, config.get('grants')) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
