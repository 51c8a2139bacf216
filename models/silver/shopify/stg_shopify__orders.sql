{{ config(materialized='incremental', unique_key='order_id') }}

with source as (

    {{ newest_deliveries(source('shopify', 'orders'), ['id'], 'updated_at') }}

),

renamed as (

    select
        -- ids
        {{ shopify_id('id') }} as order_id,
        order_name,
        {{ shopify_id("from_json(customer, 'struct<id:string>').id") }} as customer_id,

        -- text
        lower(trim(email)) as email,
        phone,
        source_name,
        lower(financial_status) as financial_status,
        lower(fulfillment_status) as fulfillment_status,
        lower(return_status) as return_status,
        lower(cancel_reason) as cancel_reason,
        from_json(discount_codes, 'array<string>') as discount_codes,
        from_json(payment_gateways, 'array<string>') as payment_gateways,

        -- flags
        is_test,
        taxes_included,

        -- places
        from_json(billing_address, 'struct<countryCodeV2:string>').countryCodeV2 as billing_country,
        from_json(shipping_address, 'struct<countryCodeV2:string>').countryCodeV2 as shipping_country,
        from_json(shipping_address, 'struct<provinceCode:string>').provinceCode as shipping_province,
        from_json(shipping_address, 'struct<zip:string>').zip as shipping_postal_code,

        -- money of the shop's currency
        currency,
        {{ shopify_amount('subtotal_price') }} as subtotal_price,
        {{ shopify_amount('total_discounts') }} as total_discounts,
        {{ shopify_amount('total_shipping_price') }} as total_shipping_price,
        {{ shopify_amount('total_tax') }} as total_tax,
        {{ shopify_amount('total_tip') }} as total_tip,
        {{ shopify_amount('total_price') }} as total_price,
        {{ shopify_amount('original_total_price') }} as original_total_price,
        {{ shopify_amount('current_total_price') }} as current_total_price,
        {{ shopify_amount('total_refunded') }} as total_refunded,

        -- money of the customer's currency
        presentment_currency,
        {{ shopify_amount('total_price', 'presentmentMoney') }} as presentment_total_price,

        -- lists in JSON, of which other models have a row per entry
        line_items,
        refunds,
        returns,
        fulfillments,
        transactions,
        agreements,

        -- times
        created_at,
        processed_at,
        cancelled_at,
        closed_at,
        updated_at,
        from_json(shop, 'struct<ianaTimezone:string>').ianaTimezone as shop_timezone,

        -- lineage
        _last_ingested_at as _ingested_at

    from source

)

select
    *,
    cast(from_utc_timestamp(processed_at, shop_timezone) as date) as processed_date
from renamed
