{{ config(materialized='incremental', unique_key='return_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

returns as (

    select
        order_id,
        shop_timezone,
        _ingested_at,
        explode(from_json(
            returns,
            'array<struct<
                id:string, name:string, status:string, createdAt:string, closedAt:string, totalQuantity:int,
                returnLineItems:array<struct<
                    quantity:int, refundedQuantity:int, returnReasonNote:string, customerNote:string
                >>
            >>'
        )) as return
    from orders

),

renamed as (

    select
        -- ids
        {{ shopify_id('return.id') }} as return_id,
        order_id,

        -- text
        return.name as return_name,
        lower(return.status) as status,
        nullif(
            array_join(
                transform(return.returnLineItems, line -> nullif(trim(line.returnReasonNote), '')), '; '
            ),
            ''
        ) as reason_notes,
        nullif(
            array_join(
                transform(return.returnLineItems, line -> nullif(trim(line.customerNote), '')), '; '
            ),
            ''
        ) as customer_notes,

        -- numerics
        return.totalQuantity as quantity,
        aggregate(
            return.returnLineItems, 0, (total, line) -> total + coalesce(line.refundedQuantity, 0)
        ) as refunded_quantity,

        -- times
        try_cast(return.createdAt as timestamp) as created_at,
        try_cast(return.closedAt as timestamp) as closed_at,
        shop_timezone,

        -- lineage
        _ingested_at

    from returns

)

select
    *,
    cast(from_utc_timestamp(created_at, shop_timezone) as date) as created_date
from renamed
