-- Articles that sell, and of which nothing is left at a location on the newest day.
with levels as (
    select
        *,
        max(date_day) over () as newest_day
    from {{ ref('inventory_levels') }}
)

select
    concat(item, ' at ', location_id) as entity,
    available as value,
    concat(
        available, ' are left on ', date_day, '; all locations have ', days_of_cover, ' days of cover'
    ) as message
from levels
where
    date_day = newest_day
    and is_stock_out
    -- null where nothing was sold lately
    and days_of_cover is not null
