{{ config(materialized='incremental', unique_key='balance_transaction_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'balance_transactions'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

renamed as (

    select
        -- ids
        id as balance_transaction_id,
        source as source_id,

        -- text
        type,
        reporting_category,
        status,
        description,

        -- money
        {{ minor_units('amount') }} as amount,
        {{ minor_units('fee') }} as fee,
        {{ minor_units('net') }} as net,
        upper(trim(currency)) as currency,
        exchange_rate,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,
        {{ epoch_to_timestamp('available_on') }} as available_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from priced

)

select * from renamed
