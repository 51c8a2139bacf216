{% macro record_build(results) %}
    {# A run of chosen models is no build: while streams run, some are refreshed every few seconds. #}
    {% set is_build = flags.WHICH in ['build', 'test', 'snapshot']
        or (flags.WHICH == 'run' and not invocation_args_dict.get('select')) %}
    {% if not execute or not is_build %}{{ return('') }}{% endif %}

    {% set builds, counts = ops_table('builds'), [] %}
    {% set models, tests = ['model', 'snapshot', 'seed'], ['test', 'unit_test'] %}
    {% for kinds, statuses in [
        (models, ['success']), (models, ['error']), (tests, ['pass']), (tests, ['fail', 'error']), (tests, ['warn'])
    ] %}
        {% do counts.append(results | selectattr('node.resource_type', 'in', kinds) | selectattr('status', 'in', statuses) | list | length) %}
    {% endfor %}
    {% do create_schema(builds.without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ builds ~ ' (invocation_id string, command string, started_at timestamp, '
        ~ 'finished_at timestamp, models_ok int, models_failed int, tests_passed int, tests_failed int, '
        ~ 'tests_warned int) using delta'
    ) %}
    {% do run_query(
        'insert into ' ~ builds ~ " select '" ~ invocation_id ~ "', '" ~ flags.WHICH ~ "', timestamp '"
        ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "', current_timestamp(), " ~ counts | join(', ')
    ) %}
{% endmacro %}
