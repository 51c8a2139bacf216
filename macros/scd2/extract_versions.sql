{% macro extract_versions(strategy, sql, target_relation=none) %}
    {% set at = strategy.updated_at %}
    {% set keys = strategy.unique_key | join(', ') %}
    {% set columns = strategy.columns | join(', ') %}
    {% if target_relation %}
        {% set stored_columns = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list %}
        {% set seen = newest('greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from))', target_relation) %}
    {% endif %}

    with extract_rows as (
        select * from ({{ sql }}) as source_rows
        {{ 'where ' ~ at ~ ' > ' ~ seen if target_relation }}
    ),

    extract_times as (
        select distinct {{ at }} from extract_rows
        {{ 'union all select ' ~ seen if target_relation }}
    ),

    -- an extract with a record that cannot be parsed does not say which keys are gone
    complete as (
        select {{ at }} from extract_times
        where {{ at }} not in (
            select _ingested_at from {{ source('ops', 'quarantine') }}
            where source = '{{ strategy.source }}' and table_name = '{{ strategy.table }}' and reason = 'the record cannot be parsed'
        )
    ),

    extracts as (
        select extract_times.{{ at }}, min(complete.{{ at }}) as next_complete_at
        from extract_times
        left join complete on extract_times.{{ at }} < complete.{{ at }}
        group by extract_times.{{ at }}
    ),

    -- the newest record of a key within an extract; all columns decide a tie, so that a rerun decides alike
    ranked as (
        select
            *,
            row_number() over (
                partition by {{ keys }}, {{ at }}
                order by {{ strategy.newest_by ~ ' desc nulls last, ' if strategy.newest_by }}{{ columns }}
            ) as record_rank
        from extract_rows
        where {{ strategy.unique_key | join(' is not null and ') }} is not null
    ),

    observations as (
        select {{ columns }}, {{ at }}, cast(null as string) as open_scd_id from ranked where record_rank = 1
        {% if target_relation %}
        -- an open row was last seen in the extract that the snapshot knows last
        union all
        select
            {% for column in strategy.columns %}{{ 'null as ' if column not in stored_columns }}{{ column }}, {% endfor %}
            {{ seen }},
            dbt_scd_id
        from {{ target_relation }}
        where dbt_valid_to is null
        {% endif %}
    ),

    -- a version starts where its key was absent from a complete extract since, or different before
    compared as (
        select
            observations.*,
            extracts.next_complete_at,
            lead(observations.{{ at }}) over by_key as next_seen_at,
            if(
                coalesce(lag(extracts.next_complete_at) over by_key, observations.{{ at }}) >= observations.{{ at }}
                and lag(struct({{ columns }})) over by_key <=> struct({{ columns }}),
                0, 1
            ) as is_start
        from observations
        inner join extracts on observations.{{ at }} = extracts.{{ at }}
        window by_key as (partition by {{ keys }} order by observations.{{ at }})
    ),

    numbered as (
        select *, sum(is_start) over (partition by {{ keys }} order by {{ at }}) as version from compared
    ),

    -- and ends with the next extract that has it differently, or that is complete without it
    versions as (
        select
            *,
            last_value(least(next_complete_at, next_seen_at)) over (
                partition by {{ keys }}, version order by {{ at }}
                rows between current row and unbounded following
            ) as valid_to
        from numbered
    )

    select
        {{ columns }},
        {{ "if(open_scd_id is null, 'insert', 'update') as dbt_change_type," if target_relation }}
        coalesce(open_scd_id, md5(concat_ws('|', {{ keys }}, unix_micros({{ at }})))) as dbt_scd_id,
        {{ at }} as dbt_updated_at,
        {{ at }} as dbt_valid_from,
        valid_to as dbt_valid_to
    from versions
    where is_start = 1 {{ 'and (open_scd_id is null or valid_to is not null)' if target_relation }}
{% endmacro %}
