{{ config(materialized='incremental', unique_key='balance_transaction_id') }}

with source as (

    {{ newest_landed(source('stripe', 'balance_transactions')) }}

),

priced as (

    select
        source.*,
        currencies.minor_digits
    from source
    left join {{ ref('stripe_currencies') }} as currencies
        on upper(trim(source.currency)) = currencies.currency

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
        last_ingested_at as _ingested_at

    from priced

)

select * from renamed
