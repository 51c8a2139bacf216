{% macro store_failed_rows(results) %}
    {% set failed_rows = ops_table('failed_rows') %}
    {% set failed = results | selectattr('node.resource_type', 'equalto', 'test')
        | selectattr('status', 'in', ['fail', 'warn']) | list %}
    {% if not execute or not failed %}{{ return('') }}{% endif %}

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
        {% for result in failed %}
        {% set message = failure_message(result) %}
        {% do log(result.status ~ ' ' ~ message, info=true) %}
        select
            '{{ invocation_id }}' as invocation_id,
            '{{ result.node.name }}' as test_name,
            '{{ (result.node.attached_node or result.node.depends_on.nodes | last) }}' as model,
            '{{ result.status }}' as severity,
            cast({{ result.failures }} as bigint) as failures,
            to_json(struct(failing.*)) as record,
            current_timestamp() as failed_at,
            '{{ dbt.escape_single_quotes(message) }}' as message
        from (
            select * from ({{ result.node.compiled_code }}) as test_query limit 1000
        ) as failing
        {{ 'union all' if not loop.last }}
        {% endfor %}
    {% endset %}
    {% do run_query('insert into ' ~ failed_rows ~ inserts) %}
{% endmacro %}
