{% macro record_build(results) %}
    {% if not execute or target.type == 'sail' or flags.WHICH not in ['build', 'run', 'test', 'snapshot'] %}
        {{ return('') }}
    {% endif %}

    {% set built = results | selectattr('node.resource_type', 'in', ['model', 'snapshot', 'seed']) | list %}
    {% set tested = results | selectattr('node.resource_type', 'in', ['test', 'unit_test']) | list %}

    {% set builds = api.Relation.create(database=target.catalog or none, schema='ops', identifier='builds') %}
    {% do create_schema(builds.without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ builds ~ ' (invocation_id string, command string, started_at timestamp, '
        ~ 'finished_at timestamp, models_ok int, models_failed int, tests_passed int, tests_failed int, '
        ~ 'tests_warned int) using delta'
    ) %}
    {% do run_query(
        "insert into " ~ builds ~ " values ('" ~ invocation_id ~ "', '" ~ flags.WHICH ~ "', timestamp '"
        ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "', current_timestamp(), "
        ~ built | selectattr('status', 'equalto', 'success') | list | length ~ ", "
        ~ built | selectattr('status', 'equalto', 'error') | list | length ~ ", "
        ~ tested | selectattr('status', 'equalto', 'pass') | list | length ~ ", "
        ~ tested | selectattr('status', 'in', ['fail', 'error']) | list | length ~ ", "
        ~ tested | selectattr('status', 'equalto', 'warn') | list | length ~ ")"
    ) %}
{% endmacro %}
