{#- What other tests found before stays, as a run of some sources tests those alone. -#}

{% macro store_row_accounting(results) %}
    {% set tests = results | selectattr('node.test_metadata') | selectattr('node.test_metadata.name', 'equalto', 'row_accounting')
        | selectattr('status', 'in', ['pass', 'fail', 'warn']) | list %}
    {% if not execute or not tests %}{{ return('') }}{% endif %}

    {% set stored = ops_table('row_accounting') %}
    {% set columns = 'source, table_name, bronze_rows, silver_rows, superseded_rows, removed_rows, rejected_rows' %}
    {% set parts, tested = [], [] %}
    {% for test in tests %}
        {% do parts.append('select ' ~ columns ~ ' from (' ~ test.node.compiled_code ~ ') as figures') %}
        {% do tested.append("'" ~ test.node.sources[0] | join('.') ~ "'") %}
    {% endfor %}
    {% if load_relation(stored) %}
        {% set others = "concat(source, '.', table_name) not in (" ~ tested | join(', ') ~ ')' %}
        {% do parts.append('select ' ~ columns ~ ' from ' ~ stored ~ ' where ' ~ others) %}
    {% endif %}
    {% do create_schema(stored.without_identifier()) %}
    {% set all = 'select * from (' ~ parts | join(' union all ') ~ ') as found' %}
    {% do run_query('create or replace table ' ~ stored ~ ' using delta as ' ~ all) %}
{% endmacro %}
