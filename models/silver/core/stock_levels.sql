with variants as (

    select
        variants.inventory_item_id,
        products.title as product_title,
        variants.title as variant_title
    from {{ ref('stg_shopify__variants') }} as variants
    left join {{ ref('stg_shopify__products') }} as products on variants.product_id = products.product_id

),

told as (

    select
        'warehouse' as source,
        item,
        sku,
        location_id,
        available,
        true as is_stocked,
        observed_at,
        _ingested_at,
        sent_as as tie
    from {{ ref('stg_inventory__levels') }}
    union all
    select
        'shop' as source,
        {{ stock_item('history.sku', 'variants.product_title', 'variants.variant_title') }} as item,
        history.sku,
        history.location_id,
        cast(history.available as bigint) as available,
        coalesce(history.is_active, true) as is_stocked,
        history.updated_at as observed_at,
        history._ingested_at,
        cast(history.inventory_item_id as string) as tie
    from {{ ref('stg_shopify__inventory_history') }} as history
    left join variants on history.inventory_item_id = variants.inventory_item_id

),

-- the last of each day; what was counted after it was loaded was counted by a wrong clock
ranked as (

    select
        *,
        cast(observed_at as date) as observed_on,
        row_number() over (
            partition by source, item, location_id, cast(observed_at as date)
            order by observed_at desc, _ingested_at desc, tie
        ) as place
    from told
    where item is not null and observed_at < _ingested_at + interval 1 day

),

of_days as (

    select
        *,
        date_sub(
            lead(observed_on) over (partition by source, item, location_id order by observed_on), 1
        ) as day_before_next,
        max(observed_on) over () as newest_day
    from ranked
    where place = 1

)

-- the shop tells what changes, so its level stands until then; a warehouse that is silent may have any
select
    source,
    item,
    sku,
    location_id,
    available,
    observed_at,
    observed_on,
    least(
        day_before_next,
        newest_day,
        case when source = 'warehouse' then date_add(observed_on, {{ var('stock_carried_days') }}) end
    ) as stands_until
from of_days
where is_stocked
