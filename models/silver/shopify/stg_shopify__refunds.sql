{{ config(materialized='incremental', unique_key='refund_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

refunds as (

    select
        order_id,
        currency,
        shop_timezone,
        _ingested_at,
        explode(from_json(
            refunds,
            'array<struct<
                id:string, processedAt:string, createdAt:string, note:string, return:struct<id:string>,
                totalRefundedSet:struct<shopMoney:struct<amount:string>>,
                refundLineItems:array<struct<
                    subtotalSet:struct<shopMoney:struct<amount:string>>,
                    totalTaxSet:struct<shopMoney:struct<amount:string>>
                >>,
                refundShippingLines:array<struct<
                    subtotalAmountSet:struct<shopMoney:struct<amount:string>>,
                    taxAmountSet:struct<shopMoney:struct<amount:string>>
                >>,
                orderAdjustments:array<struct<
                    amountSet:struct<shopMoney:struct<amount:string>>,
                    taxAmountSet:struct<shopMoney:struct<amount:string>>
                >>
            >>'
        )) as refund
    from orders

),

renamed as (

    select
        -- ids
        {{ shopify_id('refund.id') }} as refund_id,
        order_id,
        {{ shopify_id('refund.return.id') }} as return_id,

        -- text
        refund.note,

        -- money
        currency,
        {{ shopify_money('refund.totalRefundedSet.shopMoney.amount') }} as total_refunded,
        {{ shopify_sum('refund.refundLineItems', 'entry.subtotalSet.shopMoney.amount') }} as goods,
        {{ shopify_sum('refund.refundLineItems', 'entry.totalTaxSet.shopMoney.amount') }} as goods_tax,
        {{
            shopify_sum('refund.refundShippingLines', 'entry.subtotalAmountSet.shopMoney.amount')
        }} as shipping_amount,
        {{
            shopify_sum('refund.refundShippingLines', 'entry.taxAmountSet.shopMoney.amount')
        }} as shipping_tax,
        {{ shopify_sum('refund.orderAdjustments', 'entry.amountSet.shopMoney.amount') }} as adjustment,
        {{ shopify_sum('refund.orderAdjustments', 'entry.taxAmountSet.shopMoney.amount') }} as adjustment_tax,

        -- times
        try_cast(coalesce(refund.processedAt, refund.createdAt) as timestamp) as refunded_at,
        shop_timezone,

        -- lineage
        _ingested_at

    from refunds

)

select
    *,
    cast(from_utc_timestamp(refunded_at, shop_timezone) as date) as refunded_date
from renamed
