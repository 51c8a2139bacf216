-- Payments that look like those of shop orders and match none: they count beside the order. By currency.
select
    currency as entity,
    cast(sum(amount) as double) as value,
    concat(
        count(*), ' payments of ', sum(amount), ' ', currency, ' (', coalesce(sum(amount_usd), 0),
        ' USD) look like payments of shop orders, and count as revenue of their own'
    ) as message
from {{ ref('unmatched_payments') }}
group by currency
