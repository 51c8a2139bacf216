with days as (

    select
        *,
        explode(sequence(observed_on, stands_until)) as date_day
    from {{ ref('stock_levels') }}

),

-- levels and sales of an item in the order of time
moments as (

    select
        source,
        item,
        sku,
        location_id,
        date_day,
        available,
        observed_on = date_day as observed,
        observed_at as happened_at,
        cast(0 as bigint) as pieces
    from days
    union all
    select
        null as source,
        item,
        null as sku,
        null as location_id,
        cast(sold_at as date) as date_day,
        null as available,
        null as observed,
        sold_at as happened_at,
        cast(quantity as bigint) as pieces
    from {{ ref('items_sold') }}

),

with_sales as (

    select
        *,
        sum(pieces) over (partition by item order by happened_at) as sold_until,
        sum(pieces) over (
            partition by item order by cast(datediff(date_day, date '1970-01-01') as int)
            range between {{ var('stock_cover_days') - 1 }} preceding and current row
        ) as sold_lately
    from moments

)

-- a level is compared with that of the day before, of the same source
select
    source,
    item,
    sku,
    location_id,
    date_day,
    available,
    observed,
    case
        when lag(date_day) over by_day = date_sub(date_day, 1) then lag(available) over by_day
    end as available_before,
    sold_until - lag(sold_until) over by_day as sold_since,
    sold_lately
from with_sales
where source is not null
window by_day as (partition by source, item, location_id order by date_day)
