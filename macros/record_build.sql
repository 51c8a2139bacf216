{% macro record_build(results) %}
    {% set builds = ops_table('builds') %}
    {# A run of chosen models is no build: some are refreshed every few seconds while streams run. #}
    {% set is_build = flags.WHICH in ['build', 'test', 'snapshot']
        or (flags.WHICH == 'run' and not invocation_args_dict.get('select')) %}
    {% if not execute or not is_build %}{{ return('') }}{% endif %}

    {% set built = results | selectattr('node.resource_type', 'in', ['model', 'snapshot', 'seed']) | list %}
    {% set tested = results | selectattr('node.resource_type', 'in', ['test', 'unit_test']) | list %}
    {% do create_schema(builds.without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ builds ~ ' (invocation_id string, command string, started_at timestamp, '
        ~ 'finished_at timestamp, models_ok int, models_failed int, tests_passed int, tests_failed int, '
        ~ 'tests_warned int) using delta'
    ) %}
    {% do run_query(
        'insert into ' ~ builds ~ ' (invocation_id, command, started_at, finished_at, '
        ~ 'models_ok, models_failed, tests_passed, tests_failed, tests_warned) values '
        ~ "('" ~ invocation_id ~ "', '" ~ flags.WHICH ~ "', timestamp '"
        ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "', current_timestamp(), "
        ~ built | selectattr('status', 'equalto', 'success') | list | length ~ ', '
        ~ built | selectattr('status', 'equalto', 'error') | list | length ~ ', '
        ~ tested | selectattr('status', 'equalto', 'pass') | list | length ~ ', '
        ~ tested | selectattr('status', 'in', ['fail', 'error']) | list | length ~ ', '
        ~ tested | selectattr('status', 'equalto', 'warn') | list | length ~ ')'
    ) %}
{% endmacro %}
