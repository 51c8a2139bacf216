-- Articles of which nothing is left on the newest day.
select
    concat(coalesce(sku, item), ' at ', location_id) as entity,
    available as value,
    concat(available, ' are left on ', date_day) as message
from {{ ref('inventory_levels') }}
where
    is_stock_out
    and date_day = (select max(date_day) from {{ ref('inventory_levels') }})
