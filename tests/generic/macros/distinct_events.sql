{#- Events have no key: of a file that was sent again, the load with the most copies of an event counts. -#}

{% macro distinct_events() -%}
    (
        select coalesce(sum(most_copies), 0) from (
            select max(copies) as most_copies from (
                select _source_file, time, action, _ingested_at, count(*) as copies
                from {{ source('events', 'events') }}
                where time between -62135596800 and 253402300799 and action is not null
                group by _source_file, time, action, _ingested_at
            ) as copies_by_load
            group by _source_file, time, action
        ) as events
    )
{%- endmacro %}
