with variants as (

    select
        product_id,
        currency,
        _ingested_at,
        explode(from_json(
            variants,
            'array<struct<
                id:string, title:string, sku:string, barcode:string, position:int, price:string,
                compareAtPrice:string, taxable:boolean, inventoryPolicy:string, createdAt:string,
                updatedAt:string,
                inventoryItem:struct<
                    id:string, tracked:boolean, requiresShipping:boolean,
                    unitCost:struct<amount:string, currencyCode:string>
                >
            >>'
        )) as variant
    from {{ ref('stg_shopify__products') }}

)

select
    -- ids
    {{ shopify_id('variant.id') }} as variant_id,
    product_id,
    {{ shopify_id('variant.inventoryItem.id') }} as inventory_item_id,

    -- text
    nullif(trim(variant.sku), '') as sku,
    nullif(trim(variant.barcode), '') as barcode,
    variant.title,
    lower(variant.inventoryPolicy) as inventory_policy,

    -- flags
    variant.taxable as is_taxable,
    variant.inventoryItem.tracked as is_tracked,
    variant.inventoryItem.requiresShipping as requires_shipping,

    -- numerics
    variant.position,

    -- money
    currency,
    {{ shopify_money('variant.price') }} as price,
    {{ shopify_money('variant.compareAtPrice') }} as compare_at_price,
    {{ shopify_money('variant.inventoryItem.unitCost.amount') }} as unit_cost,
    variant.inventoryItem.unitCost.currencyCode as unit_cost_currency,

    -- times
    try_cast(variant.createdAt as timestamp) as created_at,
    try_cast(variant.updatedAt as timestamp) as updated_at,

    -- lineage
    _ingested_at

from variants
