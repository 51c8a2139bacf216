{{ config(materialized='incremental', unique_key='event_id') }}

with source as (

    {{ newest_deliveries(source('shopify', 'product_deletions'), ['id'], 'created_at') }}

)

select
    {{ shopify_id('id') }} as event_id,
    {{ shopify_id('subject_id') }} as product_id,
    created_at as deleted_at,
    _last_ingested_at as _ingested_at
from source
