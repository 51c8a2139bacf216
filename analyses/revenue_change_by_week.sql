-- Why did revenue change: that of each channel in the last eight weeks of which all days are complete.
select
    cast(date_trunc('week', date_day) as date) as week,
    channel,
    sum(amount_usd) as revenue_usd,
    sum(orders) as orders
from {{ ref('revenue_daily') }}
group by cast(date_trunc('week', date_day) as date), channel
having count(*) = 7 and min(cast(is_complete as int)) = 1
order by week desc, channel
limit 40
