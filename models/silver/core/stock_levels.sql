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

-- what was counted after it was loaded was counted by a wrong clock
counted as (

    select
        *,
        cast(observed_at as date) as observed_on
    from told
    where item is not null and observed_at < _ingested_at + interval 1 day

),

newest as (

    select max(observed_on) as observed_on from counted

),

ranked as (

    select
        *,
        row_number() over (
            partition by source, item, location_id, observed_on
            order by observed_at desc, _ingested_at desc, tie
        ) as place
    from counted

),

-- the last of each day
lasts as (

    select
        *,
        date_sub(
            lead(observed_on) over (partition by source, item, location_id order by observed_on), 1
        ) as day_before_next
    from ranked
    where place = 1

)

-- the shop tells what changes, so its level stands until then; a warehouse that is silent may have any
select
    lasts.source,
    lasts.item,
    lasts.sku,
    lasts.location_id,
    lasts.available,
    lasts.observed_at,
    lasts.observed_on,
    least(
        lasts.day_before_next,
        newest.observed_on,
        case
            when lasts.source = 'warehouse' then date_add(lasts.observed_on, {{ var('stock_carried_days') }})
        end
    ) as stands_until
from lasts
cross join newest
where lasts.is_stocked
