{{ config(materialized='incremental', unique_key='transaction_id') }}

with source as (

    {{ newest_deliveries(source('transactions', 'transactions'), ['transaction_id'], 'updated_at') }}

),

renamed as (

    select
        -- ids
        transaction_id,
        trim(order_reference) as order_reference,

        -- text
        lower(trim(customer_email)) as customer_email,
        lower(trim(status)) as status,

        -- money
        amount,
        upper(trim(currency)) as currency,

        -- times
        created_at,
        updated_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from source

)

select * from renamed
