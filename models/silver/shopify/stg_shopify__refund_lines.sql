{{ config(materialized='incremental', unique_key='refund_line_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

refunds as (

    select
        order_id,
        currency,
        _ingested_at,
        explode(from_json(
            refunds,
            'array<struct<
                id:string,
                refundLineItems:array<struct<
                    id:string, quantity:int, restockType:string, restocked:boolean,
                    lineItem:struct<id:string>, location:struct<id:string>,
                    subtotalSet:struct<shopMoney:struct<amount:string>>,
                    totalTaxSet:struct<shopMoney:struct<amount:string>>
                >>
            >>'
        )) as refund
    from orders

),

lines as (

    select
        order_id,
        currency,
        _ingested_at,
        refund.id as refund_gid,
        explode(refund.refundLineItems) as line
    from refunds

),

renamed as (

    select
        -- ids
        {{ shopify_id('line.id') }} as refund_line_id,
        {{ shopify_id('refund_gid') }} as refund_id,
        order_id,
        {{ shopify_id('line.lineItem.id') }} as line_id,
        {{ shopify_id('line.location.id') }} as location_id,

        -- text
        lower(line.restockType) as restock_type,

        -- flags
        line.restocked as is_restocked,

        -- numerics
        line.quantity,

        -- money
        currency,
        {{ shopify_money('line.subtotalSet.shopMoney.amount') }} as subtotal,
        {{ shopify_money('line.totalTaxSet.shopMoney.amount') }} as tax,

        -- lineage
        _ingested_at

    from lines

)

select * from renamed
