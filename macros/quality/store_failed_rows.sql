{#- What tests found before that did not run now stays, so that the newest build tells of all of them. -#}

{% macro store_failed_rows(results) %}
    {% if not execute or flags.WHICH not in ['build', 'test'] %}{{ return('') }}{% endif %}
    {% set failed_rows, tests = ops_table('failed_rows'), results | selectattr('node.resource_type', 'equalto', 'test') | list %}
    {% do create_schema(failed_rows.without_identifier()) %}
    {% do run_query(
        'create table if not exists ' ~ failed_rows ~ ' (invocation_id string, test_name string, model string, '
        ~ 'severity string, failures bigint, record string, failed_at timestamp, message string) using delta'
    ) %}
    {# Tables of earlier versions lack it. #}
    {% if 'message' not in adapter.get_columns_in_relation(failed_rows) | map(attribute='name') %}
        {% do run_query('alter table ' ~ failed_rows ~ ' add columns (message string)') %}
    {% endif %}
    {% set inserts %}
        select '{{ invocation_id }}', test_name, model, severity, failures, record, failed_at, message
        from {{ failed_rows }}
        where
            test_name not in ('{{ tests | map(attribute='node.name') | join("', '") }}')
            and invocation_id in (
                select max_by(invocation_id, finished_at) from {{ ops_table('builds') }}
                where invocation_id != '{{ invocation_id }}' and command in ('build', 'test')
            )
        {% for result in tests if result.status in ['fail', 'warn'] %}
        {% set message = failure_message(result) %}
        {% do log(message, info=true) %}
        union all
        select
            '{{ invocation_id }}',
            '{{ result.node.name }}',
            '{{ (result.node.attached_node or result.node.depends_on.nodes | last) }}',
            '{{ result.status }}',
            cast({{ result.failures }} as bigint),
            to_json(struct(failing.*)),
            current_timestamp(),
            '{{ dbt.escape_single_quotes(message) }}'
        from (select * from ({{ result.node.compiled_code }}) as test_query limit 1000) as failing
        {% endfor %}
    {% endset %}
    {% do run_query('insert into ' ~ failed_rows ~ inserts) %}
{% endmacro %}
