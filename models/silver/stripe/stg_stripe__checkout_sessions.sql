{{ config(materialized='incremental', unique_key='checkout_session_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'checkout_sessions'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

parsed as (

    select
        *,
        from_json(
            customer_details, 'name string, email string, phone string, address struct<country: string>'
        ) as parsed_details,
        from_json(
            total_details, 'amount_discount bigint, amount_shipping bigint, amount_tax bigint'
        ) as parsed_totals
    from priced

),

renamed as (

    select
        -- ids
        id as checkout_session_id,
        payment_intent as payment_intent_id,
        customer as customer_id,
        client_reference_id,

        -- text
        mode,
        status,
        payment_status,
        nullif(trim(parsed_details['name']), '') as customer_name,
        lower(nullif(trim(parsed_details['email']), '')) as customer_email,
        nullif(trim(parsed_details['phone']), '') as customer_phone,
        parsed_details['address']['country'] as customer_country,
        line_items,
        metadata,

        -- money
        {{ minor_units('amount_subtotal') }} as amount_subtotal,
        {{ minor_units('amount_total') }} as amount_total,
        {{ minor_units("parsed_totals['amount_discount']") }} as discount_amount,
        {{ minor_units("parsed_totals['amount_shipping']") }} as shipping_amount,
        {{ minor_units("parsed_totals['amount_tax']") }} as tax_amount,
        upper(trim(currency)) as currency,

        -- flags
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,
        {{ epoch_to_timestamp('expires_at') }} as expires_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from parsed

)

select * from renamed
