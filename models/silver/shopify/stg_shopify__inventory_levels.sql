with ranked as (

    select
        *,
        row_number() over (
            partition by inventory_item_id, location_id order by updated_at desc
        ) as version_rank
    from {{ ref('stg_shopify__inventory_history') }}

)

select
    inventory_item_id,
    location_id,
    sku,
    location_name,
    is_active,
    available,
    on_hand,
    committed,
    incoming,
    reserved,
    damaged,
    safety_stock,
    quality_control,
    updated_at,
    _ingested_at
from ranked
where version_rank = 1
