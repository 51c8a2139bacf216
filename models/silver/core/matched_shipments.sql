{%- set order_and_carrier = 'order_reference, upper(carrier)' %}

-- of several shipments of an order with one carrier, the first to leave is the first parcel
with shipments as (

    select
        *,
        upper(carrier) as carrier_code,
        row_number() over (
            partition by {{ order_and_carrier }} order by shipped_at, shipment_id
        ) as place
    from {{ ref('stg_shipping__shipments') }}

),

parcels as (

    select
        *,
        upper(carrier) as carrier_code,
        row_number() over (partition by {{ order_and_carrier }} order by shipped_at, parcel) as place
    from {{ ref('parcels') }}

)

select
    shipments.shipment_id,
    parcels.parcel,
    coalesce(shipments.order_reference, parcels.order_reference) as order_reference,
    coalesce(shipments.carrier, parcels.carrier) as carrier,
    coalesce(shipments.carrier_code, parcels.carrier_code) as carrier_code,
    coalesce(parcels.status, shipments.status, parcels.shop_status) as status,
    coalesce(shipments.shipped_at, parcels.shipped_at) as shipped_at,
    coalesce(shipments.promised_at, parcels.promised_at) as promised_at,
    coalesce(parcels.delivered_at, shipments.delivered_at) as delivered_at,
    max(greatest(shipments._ingested_at, parcels._ingested_at)) over () as loaded_until
from shipments
full outer join parcels
    on
        shipments.order_reference = parcels.order_reference
        and shipments.carrier_code = parcels.carrier_code
        and shipments.place = parcels.place
