-- Revenue by day and channel.
select
    date_day as x,
    channel as series,
    amount_usd as y,
    orders as row_count
from {{ ref('revenue_daily') }}
where is_complete
