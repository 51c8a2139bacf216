-- Orders by complete day, of each channel and of all: small channels are judged in the total only.
select
    channel as entity,
    date_day,
    orders as value,
    orders as size
from {{ ref('revenue_daily') }}
where is_complete

union all

select
    'all channels' as entity,
    date_day,
    sum(orders) as value,
    cast(null as bigint) as size
from {{ ref('revenue_daily') }}
group by date_day
having min(cast(is_complete as int)) = 1
