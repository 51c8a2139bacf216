{{ config(materialized='incremental', unique_key='shipment_id') }}

with source as (

    {{ newest_deliveries(source('shipping', 'shipments'), ['shipment_id'], 'updated_at') }}

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
        _last_ingested_at as _ingested_at

    from source

)

select * from renamed
