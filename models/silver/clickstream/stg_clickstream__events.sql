{{ config(materialized='incremental', unique_key='event_id', tags=['streaming']) }}

with source as (

    select * from {{ source('clickstream', 'events') }}
    where
        event_id is not null
        and event_time is not null
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
                event_time, user_id, anonymous_id, session_id, event_type, product, page, referrer, device
        ) as copy_rank
    from source

),

renamed as (

    select
        -- ids
        event_id,
        nullif(trim(user_id), '') as user_id,
        nullif(trim(anonymous_id), '') as anonymous_id,
        nullif(trim(session_id), '') as session_id,
        -- the page after a purchase tells the order
        case
            when lower(trim(event_type)) = 'purchase'
                then nullif(regexp_extract(page, '[?&]order=([^&#]+)', 1), '')
        end as order_number,

        -- text
        lower(trim(event_type)) as event_type,
        nullif(trim(product), '') as product,
        page,
        nullif(trim(referrer), '') as referrer,
        lower(trim(device)) as device,

        -- times
        event_time,

        -- lineage
        _ingested_at

    from ranked
    where copy_rank = 1

)

select * from renamed
