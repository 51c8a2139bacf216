{{ config(materialized='incremental', unique_key='dispute_id') }}

with source as (

    {{ newest_deliveries(source('stripe', 'disputes'), ['id']) }}

),

priced as (

    {{ with_minor_digits('source') }}

),

parsed as (

    select
        *,
        from_json(evidence_details, 'due_by bigint') as parsed_details
    from priced

),

renamed as (

    select
        -- ids
        id as dispute_id,
        charge as charge_id,
        payment_intent as payment_intent_id,

        -- text
        status,
        reason,
        metadata,

        -- money
        {{ minor_units('amount') }} as amount,
        upper(trim(currency)) as currency,

        -- flags
        is_charge_refundable,
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,
        {{ epoch_to_timestamp("parsed_details['due_by']") }} as evidence_due_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from parsed

)

select * from renamed
