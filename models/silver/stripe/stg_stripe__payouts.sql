{{ config(materialized='incremental', unique_key='payout_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'payouts'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

renamed as (

    select
        -- ids
        id as payout_id,
        balance_transaction as balance_transaction_id,
        failure_balance_transaction as failure_balance_transaction_id,
        original_payout as original_payout_id,

        -- text
        status,
        type,
        method,
        reconciliation_status,
        failure_code,

        -- money
        {{ minor_units('amount') }} as amount,
        upper(trim(currency)) as currency,

        -- flags
        automatic as is_automatic,
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,
        {{ epoch_to_timestamp('arrival_date') }} as arrival_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from priced

)

select * from renamed
