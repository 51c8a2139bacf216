{{ config(materialized='incremental', unique_key='line_id') }}

with orders as (

    select *
    from {{ ref('stg_shopify__orders') }}
    where {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

lines as (

    select
        order_id,
        currency,
        _ingested_at,
        explode(from_json(
            line_items,
            'array<struct<
                id:string, title:string, variantTitle:string, sku:string, vendor:string,
                quantity:int, currentQuantity:int, isGiftCard:boolean, requiresShipping:boolean,
                product:struct<id:string>, variant:struct<id:string>,
                originalUnitPriceSet:struct<shopMoney:struct<amount:string>>,
                originalTotalSet:struct<shopMoney:struct<amount:string>>,
                discountAllocations:array<struct<
                    allocatedAmountSet:struct<shopMoney:struct<amount:string>>
                >>,
                taxLines:array<struct<priceSet:struct<shopMoney:struct<amount:string>>>>
            >>'
        )) as line
    from orders

),

renamed as (

    select
        -- ids
        {{ shopify_id('line.id') }} as line_id,
        order_id,
        {{ shopify_id('line.product.id') }} as product_id,
        {{ shopify_id('line.variant.id') }} as variant_id,

        -- text
        nullif(trim(line.sku), '') as sku,
        line.title,
        line.variantTitle as variant_title,
        line.vendor,

        -- flags
        line.isGiftCard as is_gift_card,
        line.requiresShipping as requires_shipping,

        -- numerics
        line.quantity,
        line.currentQuantity as current_quantity,

        -- money; the total is that of all pieces, and discounts contain the share of those of the order
        currency,
        {{ shopify_money('line.originalUnitPriceSet.shopMoney.amount') }} as unit_price,
        {{ shopify_money('line.originalTotalSet.shopMoney.amount') }} as gross,
        {{
            shopify_sum('line.discountAllocations', 'entry.allocatedAmountSet.shopMoney.amount')
        }} as discount,
        {{ shopify_sum('line.taxLines', 'entry.priceSet.shopMoney.amount') }} as tax,

        -- lineage
        _ingested_at

    from lines

)

select * from renamed
