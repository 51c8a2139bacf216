{#-
    A build tests what came since the last one that ran every node without a failure, so that its cost follows
    new data. `ops.builds` says when that was; anything that makes old rows doubtful erases it first.
-#}

{% macro find_last_check() %}
    {% set builds = builds_relation() %}
    {% if not execute or target.type == 'sail' or flags.WHICH not in ['build', 'run', 'snapshot']
        or not load_relation(builds)
        or 'checked_project' not in adapter.get_columns_in_relation(builds) | map(attribute='name') %}
        {{ return('') }}
    {% endif %}

    {# What is built afresh was never checked, also when this run is killed and the next one finds it. #}
    {% set missing = [] %}
    {% for node in graph.nodes.values() if node.unique_id in selected_resources
        and (node.resource_type == 'snapshot' or node.config.materialized == 'incremental') %}
        {% if not load_relation(api.Relation.create(node.database, node.schema, node.alias)) %}
            {% do missing.append(node.unique_id) %}
        {% endif %}
    {% endfor %}

    {% if flags.FULL_REFRESH or missing %}
        {% do run_query('update ' ~ builds ~ ' set checked_project = null where checked_project is not null') %}
    {% elif flags.WHICH == 'build' %}
        {% set checks = run_query(
            'select cast(max(started_at) as string) from ' ~ builds
            ~ " where checked_project = '" ~ project_checksum() ~ "'"
        ) %}
        {# The graph is what all nodes of a run share; asking in each would cost more than many a test. #}
        {% do graph.update({'last_check': checks.columns[0].values()[0]}) %}
    {% endif %}
{% endmacro %}


{% macro is_complete_check(results) %}
    {# `lakehouse run` leaves out what depends on no new rows. #}
    {% set left_out = left_out(['model', 'snapshot', 'seed', 'test'])
        if not (var('left_out_is_unchanged', false) and graph.get('last_check')) else [] %}
    {% set bad = results | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op']) | list %}
    {{ return(flags.WHICH == 'build' and not flags.EMPTY and not left_out and not bad) }}
{% endmacro %}


{% macro left_out(kinds) %}
    {{ return(
        graph.nodes.values() | selectattr('resource_type', 'in', kinds)
        | rejectattr('unique_id', 'in', selected_resources) | list
    ) }}
{% endmacro %}


{# Another model or test is another check: everything is tested anew. #}
{% macro project_checksum() %}
    {% set parts = [] %}
    {% for node in graph.nodes.values() %}
        {% do parts.append(node.unique_id ~ node.checksum.checksum) %}
    {% endfor %}
    {{ return(local_md5(parts | sort | join)) }}
{% endmacro %}


{# Tests that warn repeat their warning, so they always look at everything. #}
{% macro last_check() %}
    {% set checked = graph.get('last_check') if execute %}
    {% if not checked or config.get('severity', 'error') | lower != 'error' %}{{ return(none) }}{% endif %}
    {# On Databricks a load may run beside a build, and commit rows that are older than it. #}
    {{ return("timestamp '" ~ checked ~ "'" ~ (" - interval 1 day" if target.type == 'databricks' else '')) }}
{% endmacro %}


{% macro unchecked(relation, delivered_at) %}
    {% set since = last_check() %}
    {% if not since or not delivered_at %}{{ return('true') }}{% endif %}
    {% set condition = delivered_at | join(' > ' ~ since ~ ' or ') ~ ' > ' ~ since %}
    {{ return(condition_or_false(relation, condition)) }}
{% endmacro %}


{# `where: _ingested_at > __last_check__` in the config of a test leaves out what was checked before. #}
{% macro get_where_subquery(relation) %}
    {% set where = config.get('where') or '' %}
    {% if '__last_check__' not in where %}{{ return(dbt.get_where_subquery(relation)) }}{% endif %}
    {% set since = last_check() %}
    {% if not since %}{{ return(relation) }}{% endif %}
    {% set condition = condition_or_false(relation, where | replace('__last_check__', since)) %}
    {% set comment = nothing_unchecked() if condition == 'false' else '' %}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ condition ~ ') as unchecked' ~ comment) }}
{% endmacro %}


{# No rows, no failures: Spark would need a second to find that out. #}
{% macro spark__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
    {% if nothing_unchecked() in main_sql %}
        select 0 as failures, false as should_warn, false as should_error
    {% else %}
        {{ dbt.default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) }}
    {% endif %}
{% endmacro %}


{% macro nothing_unchecked() %}{{ return(' /* nothing unchecked */') }}{% endmacro %}
