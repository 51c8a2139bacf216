-- Articles whose stock fell on the newest day, and whose sales do not explain it.
select
    concat(coalesce(sku, item), ' at ', location_id) as entity,
    available as value,
    concat(available, ' are left on ', date_day, ', and sales do not explain the fall') as message
from {{ ref('inventory_levels') }}
where
    is_drop
    and not drop_explained
    and date_day = (select max(date_day) from {{ ref('inventory_levels') }})
