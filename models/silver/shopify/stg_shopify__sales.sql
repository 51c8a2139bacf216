{{ config(materialized='incremental', unique_key='sale_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

agreements as (

    select
        order_id,
        shop_timezone,
        _ingested_at,
        explode(from_json(
            agreements,
            'array<struct<
                id:string, happenedAt:string, reason:string,
                sales:array<struct<
                    id:string, actionType:string, lineType:string, quantity:int,
                    lineItem:struct<id:string>, shippingLine:struct<id:string>,
                    totalAmount:struct<
                        shopMoney:struct<amount:string, currencyCode:string>,
                        presentmentMoney:struct<amount:string, currencyCode:string>
                    >,
                    totalTaxAmount:struct<shopMoney:struct<amount:string>>,
                    totalDiscountAmountBeforeTaxes:struct<shopMoney:struct<amount:string>>,
                    totalDiscountAmountAfterTaxes:struct<shopMoney:struct<amount:string>>
                >>
            >>'
        )) as agreement
    from orders

),

sales as (

    select
        order_id,
        shop_timezone,
        _ingested_at,
        agreement,
        explode(agreement.sales) as sale
    from agreements

),

renamed as (

    select
        -- ids
        {{ shopify_id('sale.id') }} as sale_id,
        {{ shopify_id('agreement.id') }} as agreement_id,
        order_id,
        {{ shopify_id('sale.lineItem.id') }} as line_id,
        {{ shopify_id('sale.shippingLine.id') }} as shipping_line_id,

        -- text
        lower(agreement.reason) as reason,
        lower(sale.actionType) as action_type,
        lower(sale.lineType) as line_type,

        -- numerics
        sale.quantity,

        -- money: the total contains the tax, and discounts are taken off already
        sale.totalAmount.shopMoney.currencyCode as currency,
        {{ shopify_money('sale.totalAmount.shopMoney.amount') }} as total,
        {{ shopify_money('sale.totalTaxAmount.shopMoney.amount') }} as tax,
        {{ shopify_money('sale.totalDiscountAmountBeforeTaxes.shopMoney.amount') }} as discount,
        {{ shopify_money('sale.totalDiscountAmountAfterTaxes.shopMoney.amount') }} as discount_with_tax,
        sale.totalAmount.presentmentMoney.currencyCode as presentment_currency,
        {{ shopify_money('sale.totalAmount.presentmentMoney.amount') }} as presentment_total,

        -- times
        try_cast(agreement.happenedAt as timestamp) as happened_at,
        shop_timezone,

        -- lineage
        _ingested_at

    from sales

)

select
    *,
    cast(from_utc_timestamp(happened_at, shop_timezone) as date) as happened_date
from renamed
