{{ config(materialized='incremental', unique_key='customer_id') }}

with source as (

    {{ newest_deliveries(source('shopify', 'customers'), ['id'], 'updated_at') }}

),

parsed as (

    select
        *,
        from_json(default_email, 'struct<emailAddress:string, marketingState:string>') as mail,
        from_json(
            default_address,
            'struct<
                address1:string, address2:string, city:string, provinceCode:string, zip:string,
                countryCodeV2:string
            >'
        ) as place
    from source

)

select
    -- ids
    {{ shopify_id('id') }} as customer_id,

    -- text
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    lower(trim(mail.emailAddress)) as email,
    from_json(default_phone, 'struct<phoneNumber:string>').phoneNumber as phone,
    place.address1 as address_line_1,
    place.address2 as address_line_2,
    place.city,
    place.provinceCode as province,
    place.zip as postal_code,
    place.countryCodeV2 as country,
    locale,
    lower(state) as account_state,
    lower(mail.marketingState) as email_marketing,
    from_json(tags, 'array<string>') as tags,

    -- flags
    is_email_verified,
    is_tax_exempt,

    -- numerics
    try_cast(number_of_orders as bigint) as number_of_orders,

    -- money
    from_json(amount_spent, 'struct<currencyCode:string>').currencyCode as currency,
    {{ shopify_money("from_json(amount_spent, 'struct<amount:string>').amount") }} as amount_spent,

    -- times
    created_at,
    updated_at,

    -- lineage
    _last_ingested_at as _ingested_at

from parsed
