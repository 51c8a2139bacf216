-- The payments that settle an order through Stripe are what the shop took by Stripe: sales and captures that
-- succeeded, no authorization, which is no money yet.
{{ config(severity='warn') }}

with taken as (

    select
        cast(order_id as string) as order_id,
        presentment_currency as currency,
        sum(presentment_amount) as taken
    from {{ ref('stg_shopify__transactions') }}
    where
        kind in ('sale', 'capture')
        and status = 'success'
        and gateway like 'stripe%'
        and not coalesce(is_test, false)
    group by order_id, presentment_currency

),

settled as (

    select
        order_id,
        currency,
        sum(total_charged) as settled
    from {{ ref('fct_revenue') }}
    where channel = 'stripe' and event_type = 'payment' and is_settlement
    group by order_id, currency

)

select
    settled.order_id,
    settled.currency,
    taken.taken,
    settled.settled
from settled
left join taken on settled.order_id = taken.order_id and settled.currency = taken.currency
where not settled.settled <=> taken.taken
