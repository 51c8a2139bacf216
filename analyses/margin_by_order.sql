-- What an order of the shop leaves after the fees of its payments, in US dollars; the worst first.
select
    order_id,
    min(occurred_at) as ordered_at,
    sum(amount_usd) as revenue_usd,
    coalesce(sum(fee_usd), 0) as fees_usd,
    sum(amount_usd) - coalesce(sum(fee_usd), 0) as margin_usd,
    count(distinct payment_id) as payments
from {{ ref('fct_revenue') }}
where channel = 'shopify' or is_settlement
group by order_id
order by margin_usd, order_id
