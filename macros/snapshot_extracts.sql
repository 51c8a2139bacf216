{#-
    Snapshots of complete extracts. dbt's own strategies compare the table of now with the snapshot; these
    compare each extract with the one before it, so no change is lost when several extracts wait.
-#}

{% macro snapshot_extracts_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set unique_key = config.require('unique_key') %}
    {% do return({
        'extracts': true,
        'unique_key': [unique_key] if unique_key is string else unique_key,
        'updated_at': config.require('updated_at'),
        'newest_by': config.get('newest_by'),
        'hard_deletes': 'invalidate',
    }) %}
{% endmacro %}


{# dbt calls these two for the first and for every later run; other strategies go the usual way. #}
{% macro build_snapshot_table(strategy, sql) %}
    {% if not strategy.extracts %}
        {{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}
    {% endif %}
    {{ extract_versions(strategy, sql) }}
{% endmacro %}


{% macro snapshot_staging_table(strategy, source_sql, target_relation) %}
    {% if not strategy.extracts %}
        {{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}
    {% endif %}
    {{ extract_versions(strategy, source_sql, target_relation) }}
{% endmacro %}


{% macro extract_versions(strategy, sql, target_relation=none) %}
    {% set at = strategy.updated_at %}
    {% set keys = strategy.unique_key | join(', ') %}
    {% set columns = get_columns_in_query(sql) | reject('equalto', at) | list %}
    {% set content = 'struct(' ~ columns | join(', ') ~ ')' %}

    {% if target_relation %}
        {% set stored_columns = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list %}
        {% set seen = newest('greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from))', target_relation) %}
    {% endif %}

    with extract_rows as (
        select *
        from ({{ sql }}) as source_rows
        {% if target_relation %}
        where {{ at }} > {{ seen }}
        {% endif %}
    ),

    extracts as (
        select
            {{ at }},
            lead({{ at }}) over (order by {{ at }}) as next_extract_at
        from (
            select distinct {{ at }} from extract_rows
            {% if target_relation %}
            union all
            select {{ seen }}
            {% endif %}
        ) as extract_times
    ),

    -- the newest record of a key within an extract; all columns decide a tie, so that a rerun decides alike
    ranked as (
        select
            *,
            row_number() over (
                partition by {{ keys }}, {{ at }}
                order by
                    {% if strategy.newest_by %}{{ strategy.newest_by }} desc nulls last,{% endif %}
                    {{ columns | join(', ') }}
            ) as record_rank
        from extract_rows
        where {% for key in strategy.unique_key %}{{ key }} is not null{{ ' and ' if not loop.last }}{% endfor %}
    ),

    observations as (
        select
            {{ columns | join(', ') }},
            {{ at }},
            cast(null as string) as open_scd_id
        from ranked
        where record_rank = 1
        {% if target_relation %}
        -- an open row was last seen in the extract that the snapshot knows last
        union all
        select
            {% for column in columns %}{{ 'null as ' if column not in stored_columns }}{{ column }}, {% endfor %}
            {{ seen }},
            dbt_scd_id
        from {{ target_relation }}
        where dbt_valid_to is null
        {% endif %}
    ),

    -- a version starts where its key was absent or different in the extract before
    compared as (
        select
            observations.*,
            extracts.next_extract_at,
            case
                when lag(extracts.next_extract_at) over (partition by {{ keys }} order by observations.{{ at }})
                    = observations.{{ at }}
                    and lag({{ content }}) over (partition by {{ keys }} order by observations.{{ at }})
                    <=> {{ content }}
                    then 0
                else 1
            end as is_start
        from observations
        inner join extracts on observations.{{ at }} = extracts.{{ at }}
    ),

    numbered as (
        select
            *,
            sum(is_start) over (partition by {{ keys }} order by {{ at }}) as version
        from compared
    ),

    -- and ends with the extract after the last one that holds it
    versions as (
        select
            *,
            last_value(next_extract_at) over (
                partition by {{ keys }}, version
                order by {{ at }}
                rows between current row and unbounded following
            ) as valid_to
        from numbered
    )

    select
        {{ columns | join(', ') }},
        {% if target_relation %}
        case when open_scd_id is null then 'insert' else 'update' end as dbt_change_type,
        {% endif %}
        coalesce(
            open_scd_id,
            md5(concat_ws('|', {{ keys }}, unix_micros({{ at }})))
        ) as dbt_scd_id,
        {{ at }} as dbt_updated_at,
        {{ at }} as dbt_valid_from,
        valid_to as dbt_valid_to
    from versions
    where is_start = 1
    {% if target_relation %}
        and (open_scd_id is null or valid_to is not null)
    {% endif %}
{% endmacro %}
