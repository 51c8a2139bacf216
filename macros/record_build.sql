{% macro record_build(results) %}
    {% if not execute or target.type == 'sail' or flags.WHICH not in ['build', 'run', 'test', 'snapshot'] %}
        {{ return('') }}
    {% endif %}
    {# Some models are refreshed every few seconds while streams run. #}
    {% if flags.WHICH == 'run' and left_out(['model']) %}{{ return('') }}{% endif %}

    {% set built = results | selectattr('node.resource_type', 'in', ['model', 'snapshot', 'seed']) | list %}
    {% set tested = results | selectattr('node.resource_type', 'in', ['test', 'unit_test']) | list %}

    {% set builds = builds_relation() %}
    {% do create_schema(builds.without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ builds ~ ' (invocation_id string, command string, started_at timestamp, '
        ~ 'finished_at timestamp, models_ok int, models_failed int, tests_passed int, tests_failed int, '
        ~ 'tests_warned int, checked_project string) using delta'
    ) %}
    {% if 'checked_project' not in adapter.get_columns_in_relation(builds) | map(attribute='name') %}
        {% do run_query('alter table ' ~ builds ~ ' add columns (checked_project string)') %}
    {% endif %}
    {% do run_query(
        "insert into " ~ builds ~ " values ('" ~ invocation_id ~ "', '" ~ flags.WHICH ~ "', timestamp '"
        ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "', current_timestamp(), "
        ~ built | selectattr('status', 'equalto', 'success') | list | length ~ ", "
        ~ built | selectattr('status', 'equalto', 'error') | list | length ~ ", "
        ~ tested | selectattr('status', 'equalto', 'pass') | list | length ~ ", "
        ~ tested | selectattr('status', 'in', ['fail', 'error']) | list | length ~ ", "
        ~ tested | selectattr('status', 'equalto', 'warn') | list | length ~ ", "
        ~ ("'" ~ project_checksum() ~ "'" if is_complete_check(results) else 'null') ~ ")"
    ) %}
{% endmacro %}


{% macro builds_relation() %}
    {{ return(api.Relation.create(database=target.catalog or none, schema='ops', identifier='builds')) }}
{% endmacro %}
