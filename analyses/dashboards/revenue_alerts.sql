-- Alerts of revenue and orders, the newest first.
select
    cast(opened_at as date) as opened,
    entity as channel,
    message,
    cast(cleared_at as date) as cleared,
    owner
from {{ source('ops', 'alerts') }}
where check_name in ('revenue', 'orders')
order by opened_at desc, entity
