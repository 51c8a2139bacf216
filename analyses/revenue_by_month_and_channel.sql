-- What did we earn: revenue, orders and payment fees by month and channel, in US dollars.
select
    cast(date_trunc('month', occurred_at) as date) as month,
    channel,
    sum(amount_usd) as revenue_usd,
    count(distinct order_key) as orders,
    sum(fee_usd) as fees_usd
from {{ ref('fct_revenue') }}
where occurred_at is not null
group by cast(date_trunc('month', occurred_at) as date), channel
order by month desc, channel
