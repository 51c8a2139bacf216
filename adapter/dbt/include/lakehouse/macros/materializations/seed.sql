{% materialization seed, adapter='lakehouse' %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set rows = load_agate_table() %}
    {% if flags.EMPTY %}{% set rows = rows.limit(0) %}{% endif %}
    {% do store_result('agate_table', response='OK', agate_table=rows) %}

    {{ run_hooks(pre_hooks) }}
    {% do adapter.write_seed(target_relation, rows, model) %}
    {% set count = rows.rows | length %}
    {% call noop_statement('main', 'INSERT ' ~ count, 'INSERT', count) %}{% endcall %}

    {% do apply_grants(target_relation, config.get('grants')) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
