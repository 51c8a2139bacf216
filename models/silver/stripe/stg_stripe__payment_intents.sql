{{ config(materialized='incremental', unique_key='payment_intent_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'payment_intents'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

renamed as (

    select
        -- ids
        id as payment_intent_id,
        customer as customer_id,
        latest_charge as charge_id,

        -- text
        status,
        capture_method,
        cancellation_reason,
        lower(nullif(trim(receipt_email), '')) as receipt_email,
        description,
        metadata,

        -- money
        {{ minor_units('amount') }} as amount,
        {{ minor_units('amount_received') }} as amount_received,
        {{ minor_units('amount_capturable') }} as amount_capturable,
        upper(trim(currency)) as currency,

        -- flags
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,
        {{ epoch_to_timestamp('canceled_at') }} as canceled_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from priced

)

select * from renamed
