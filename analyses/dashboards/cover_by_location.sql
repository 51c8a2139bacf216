-- The 40 items that run out first on the newest day, with all their locations.
with newest as (
    select max(date_day) as last_day
    from {{ ref('inventory_levels') }}
),

levels as (
    select
        stock.item,
        stock.location_id,
        stock.days_of_cover,
        stock.is_stock_out,
        min(case when stock.is_stock_out then cast(0 as decimal(18, 2)) else stock.days_of_cover end)
            over (partition by stock.item) as least
    from {{ ref('inventory_levels') }} as stock
    inner join newest on stock.date_day = newest.last_day
),

ranked as (
    select
        *,
        dense_rank() over (order by least, item) as place
    from levels
    where least is not null
)

select
    item,
    location_id,
    days_of_cover,
    is_stock_out
from ranked
where place <= 40
order by place, location_id
