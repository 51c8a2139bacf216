{{ config(materialized='incremental', unique_key='refund_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'refunds'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

renamed as (

    select
        -- ids
        id as refund_id,
        charge as charge_id,
        payment_intent as payment_intent_id,
        balance_transaction as balance_transaction_id,
        failure_balance_transaction as failure_balance_transaction_id,

        -- text
        status,
        reason,
        failure_reason,
        metadata,

        -- money
        {{ minor_units('amount') }} as amount,
        upper(trim(currency)) as currency,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from priced

)

select * from renamed
