-- The entries of an order's ledger add up to what the order says: as it was placed, and as it is now.
{{ config(severity='warn') }}

with ledger as (

    select
        order_id,
        sum(case when reason = 'order' then total end) as placed,
        sum(total) as remaining
    from {{ ref('stg_shopify__sales') }}
    group by order_id

),

orders as (

    select * from {{ ref('stg_shopify__orders') }}

)

select
    orders.order_name,
    orders.original_total_price,
    ledger.placed,
    orders.current_total_price,
    ledger.remaining
from orders
left join ledger on orders.order_id = ledger.order_id
where
    coalesce(ledger.placed, 0) != orders.original_total_price
    or coalesce(ledger.remaining, 0) != orders.current_total_price
