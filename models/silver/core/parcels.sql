with scans as (

    select
        tracking_number as parcel,
        min(order_reference) as order_reference,
        max_by(carrier, struct(event_time, event_id)) as carrier,
        max_by(status, struct(event_time, event_id)) as status,
        min(event_time) filter (where status != 'label_created') as shipped_at,
        min(event_time) filter (where status = 'delivered') as delivered_at,
        max(_ingested_at) as _ingested_at
    from {{ ref('stg_carrier__events') }}
    group by tracking_number

),

-- a fulfilment of several parcels has a number for each, one without a number is known by its name
fulfillments as (

    select
        *,
        explode(
            if(size(tracking_numbers) > 0, tracking_numbers, array(cast(null as string)))
        ) as tracking_number
    from {{ ref('stg_shopify__fulfillments') }}
    where status = 'success'

),

named as (

    select
        fulfillments.*,
        orders.order_name,
        coalesce(nullif(trim(fulfillments.tracking_number), ''), fulfillments.fulfillment_name) as parcel
    from fulfillments
    left join {{ ref('stg_shopify__orders') }} as orders on fulfillments.order_id = orders.order_id

),

fulfilled as (

    select
        parcel,
        min(order_name) as order_reference,
        min(carrier) as carrier,
        max_by(display_status, fulfillment_id) as status,
        min(coalesce(in_transit_at, created_at)) as shipped_at,
        max(estimated_delivery_at) as promised_at,
        min(delivered_at) as delivered_at,
        max(_ingested_at) as _ingested_at
    from named
    group by parcel

)

-- of a parcel, its carrier knows best
select
    coalesce(scans.parcel, fulfilled.parcel) as parcel,
    coalesce(scans.order_reference, fulfilled.order_reference) as order_reference,
    coalesce(scans.carrier, fulfilled.carrier) as carrier,
    scans.status,
    fulfilled.status as shop_status,
    coalesce(scans.shipped_at, fulfilled.shipped_at) as shipped_at,
    fulfilled.promised_at,
    coalesce(scans.delivered_at, fulfilled.delivered_at) as delivered_at,
    greatest(scans._ingested_at, fulfilled._ingested_at) as _ingested_at
from scans
full outer join fulfilled on scans.parcel = fulfilled.parcel
