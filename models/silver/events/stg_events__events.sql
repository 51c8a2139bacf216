{{ config(materialized='incremental', incremental_strategy='append') }}

with source as (

    select * from {{ source('events', 'events') }}
    {% if is_incremental() %}
    where _ingested_at > {{ newest('processing_time', this) }}
    {% endif %}

),

-- equal events of one file are told apart by their number
numbered as (

    select
        *,
        row_number() over (
            partition by _source_file, _ingested_at, time, action order by time
        ) as copy_number
    from source
    -- a timestamp holds the years 1 to 9999
    where time between -62135596800 and 253402300799 and action is not null

),

identified as (

    select
        {{ surrogate_key("concat_ws('|', _source_file, time, action, copy_number)") }} as event_id,
        timestamp_seconds(cast(time as bigint)) as event_time,
        time,
        action,
        _ingested_at
    from numbered

),

-- a file that was sent again adds the events that are new in it
first_seen as (

    select
        event_id,
        event_time,
        time,
        action,
        min(_ingested_at) as processing_time
    from identified
    group by event_id, event_time, time, action

)

select first_seen.* from first_seen
{% if is_incremental() %}
left anti join {{ this }} as known on first_seen.event_id = known.event_id
{% endif %}
