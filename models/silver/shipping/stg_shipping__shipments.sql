{{ config(materialized='incremental', unique_key='shipment_id') }}

with source as (

    select * from {{ source('shipping', 'shipments') }}
    where shipment_id is not null
    {% if is_incremental() %}
    -- an older version may be delivered later
    and shipment_id in (
        select shipment_id from {{ source('shipping', 'shipments') }}
        where _ingested_at > {{ newest('_ingested_at', this) }}
    )
    {% endif %}

),

-- all columns decide between copies of a version, so that a rerun decides alike
ranked as (

    select
        *,
        max(_ingested_at) over (partition by shipment_id) as last_ingested_at,
        row_number() over (
            partition by shipment_id
            order by
                updated_at desc nulls last, _ingested_at desc,
                order_reference, carrier, status, shipped_at, promised_at, delivered_at
        ) as version_rank
    from source

),

renamed as (

    select
        -- ids
        shipment_id,
        trim(order_reference) as order_reference,

        -- text
        trim(carrier) as carrier,
        lower(trim(status)) as status,

        -- times
        shipped_at,
        promised_at,
        -- what arrived before it left did so at a time that nobody knows
        case when coalesce(delivered_at >= shipped_at, true) then delivered_at end as delivered_at,
        updated_at,

        -- lineage
        last_ingested_at as _ingested_at

    from ranked
    where version_rank = 1

)

select * from renamed
