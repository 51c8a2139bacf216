{{ config(materialized='incremental', unique_key='event_id') }}

with source as (

    select * from {{ source('carrier', 'events') }}
    where
        event_id is not null
        and event_time is not null
        and tracking_number is not null
        and {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

-- all columns decide between copies of an event in one file, so that a rerun decides alike
ranked as (

    select
        *,
        row_number() over (
            partition by event_id
            order by
                _ingested_at desc,
                event_time, tracking_number, order_reference, carrier, status, location
        ) as copy_rank
    from source

),

renamed as (

    select
        -- ids
        event_id,
        trim(tracking_number) as tracking_number,
        nullif(trim(order_reference), '') as order_reference,

        -- text
        trim(carrier) as carrier,
        regexp_replace(lower(trim(status)), '[ -]+', '_') as status,
        nullif(trim(location), '') as location,

        -- times
        event_time,

        -- lineage
        _ingested_at

    from ranked
    where copy_rank = 1

)

select * from renamed
