{{ config(materialized='incremental', unique_key='event_id') }}

with source as (

    {{ newest_landed(source('stripe', 'events')) }}

),

parsed as (

    select
        *,
        from_json(data, 'object struct<id: string, object: string>') as parsed_data
    from source

),

renamed as (

    select
        -- ids
        id as event_id,
        parsed_data['object']['id'] as object_id,

        -- text
        type,
        parsed_data['object']['object'] as object_type,
        api_version,

        -- flags
        livemode as is_live,

        -- times
        {{ epoch_to_timestamp('created') }} as created_at,

        -- lineage
        last_ingested_at as _ingested_at

    from parsed

)

select * from renamed
