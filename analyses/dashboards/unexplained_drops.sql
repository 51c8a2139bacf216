-- Falls of stock by half or more that sales do not explain, the newest first.
select
    date_day as `day`,
    item,
    location_id,
    fall,
    sold_since as sold,
    available as `left`
from {{ ref('inventory_levels') }}
where is_drop and not drop_explained
order by date_day desc, fall desc, item, location_id
limit 100
