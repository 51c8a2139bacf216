{{ config(materialized='incremental', unique_key='fulfillment_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

fulfillments as (

    select
        order_id,
        _ingested_at,
        explode(from_json(
            fulfillments,
            'array<struct<
                id:string, name:string, status:string, displayStatus:string, totalQuantity:int,
                createdAt:string, updatedAt:string, estimatedDeliveryAt:string, inTransitAt:string,
                deliveredAt:string, location:struct<id:string>,
                trackingInfo:array<struct<company:string, number:string>>
            >>'
        )) as parcel
    from orders

),

renamed as (

    select
        -- ids
        {{ shopify_id('parcel.id') }} as fulfillment_id,
        order_id,
        {{ shopify_id('parcel.location.id') }} as location_id,

        -- text
        parcel.name as fulfillment_name,
        lower(parcel.status) as status,
        lower(parcel.displayStatus) as display_status,
        try_element_at(parcel.trackingInfo, 1).company as carrier,
        transform(parcel.trackingInfo, info -> info.number) as tracking_numbers,

        -- numerics
        parcel.totalQuantity as quantity,

        -- times
        try_cast(parcel.createdAt as timestamp) as created_at,
        try_cast(parcel.inTransitAt as timestamp) as in_transit_at,
        try_cast(parcel.estimatedDeliveryAt as timestamp) as estimated_delivery_at,
        try_cast(parcel.deliveredAt as timestamp) as delivered_at,
        try_cast(parcel.updatedAt as timestamp) as updated_at,

        -- lineage
        _ingested_at

    from fulfillments

)

select * from renamed
