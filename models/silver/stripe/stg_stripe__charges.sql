{{ config(materialized='incremental', unique_key='charge_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'charges'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

parsed as (

    select
        *,
        from_json(
            payment_method_details, 'type string, card struct<brand: string, country: string>'
        ) as parsed_method,
        from_json(
            billing_details, 'name string, email string, phone string, address struct<country: string>'
        ) as parsed_billing
    from priced

),

renamed as (

    select
        -- ids
        id as charge_id,
        payment_intent as payment_intent_id,
        customer as customer_id,
        balance_transaction as balance_transaction_id,

        -- text
        status,
        failure_code,
        parsed_method['type'] as payment_method_type,
        parsed_method['card']['brand'] as card_brand,
        parsed_method['card']['country'] as card_country,
        nullif(trim(parsed_billing['name']), '') as billing_name,
        lower(nullif(trim(parsed_billing['email']), '')) as billing_email,
        nullif(trim(parsed_billing['phone']), '') as billing_phone,
        parsed_billing['address']['country'] as billing_country,
        description,
        metadata,

        -- money
        {{ minor_units('amount') }} as amount,
        {{ minor_units('amount_captured') }} as amount_captured,
        {{ minor_units('amount_refunded') }} as amount_refunded,
        upper(trim(currency)) as currency,

        -- flags
        paid as is_paid,
        captured as is_captured,
        refunded as is_refunded,
        disputed as is_disputed,
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from parsed

)

select * from renamed
