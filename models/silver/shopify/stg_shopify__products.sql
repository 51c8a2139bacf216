with source as (

    {{ newest_deliveries(source('shopify', 'products'), ['id'], 'updated_at') }}

),

deleted as (

    select
        product_id,
        max(deleted_at) as deleted_at
    from {{ ref('stg_shopify__product_deletions') }}
    group by product_id

),

renamed as (

    select
        -- ids
        {{ shopify_id('id') }} as product_id,
        handle,

        -- text
        trim(title) as title,
        vendor,
        nullif(trim(product_type), '') as product_type,
        lower(status) as status,
        from_json(tags, 'array<string>') as tags,

        -- flags
        is_gift_card,

        -- variants in JSON, of which another model has a row per entry, and the currency of their prices
        variants,
        from_json(shop, 'struct<currencyCode:string>').currencyCode as currency,

        -- times
        created_at,
        published_at,
        updated_at,

        -- lineage
        _last_ingested_at as _ingested_at

    from source

)

select
    renamed.*,
    deleted.deleted_at,
    deleted.deleted_at is not null as is_deleted
from renamed
left join deleted on renamed.product_id = deleted.product_id
