{{ config(materialized='incremental', unique_key='customer_id') }}

with source as (

    {{ newest_landed(source('stripe', 'customers')) }}

),

parsed as (

    select
        *,
        from_json(
            address,
            'line1 string, line2 string, postal_code string, city string, state string, country string'
        ) as parsed_address
    from source

),

renamed as (

    select
        -- ids
        id as customer_id,

        -- text
        nullif(trim(name), '') as customer_name,
        lower(nullif(trim(email), '')) as email,
        nullif(trim(phone), '') as phone,
        parsed_address['line1'] as address_line1,
        parsed_address['line2'] as address_line2,
        parsed_address['postal_code'] as postal_code,
        parsed_address['city'] as city,
        parsed_address['state'] as state,
        parsed_address['country'] as country,
        upper(trim(currency)) as currency,
        description,
        metadata,

        -- flags
        delinquent as is_delinquent,
        coalesce(deleted, false) as is_deleted,
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,

        -- lineage
        last_ingested_at as _ingested_at

    from parsed

)

select * from renamed
