-- Articles whose stock fell on the newest day, and whose sales do not explain it.
with levels as (
    select
        *,
        max(date_day) over () as newest_day
    from {{ ref('inventory_levels') }}
)

select
    concat(item, ' at ', location_id) as entity,
    available as value,
    concat(available, ' are left on ', date_day, ', and sales do not explain the fall') as message
from levels
where
    date_day = newest_day
    and is_drop
    and not drop_explained
