-- The ledger's gross sales, discounts and returns are those of the order's lines and refunds, which tell
-- them a second time.
{{ config(severity='warn') }}

with revenue as (

    select
        order_id,
        sum(gross) as gross,
        sum(discount) as discount,
        sum(returns) as returns
    from {{ ref('fct_revenue') }}
    where channel = 'shopify'
    group by order_id

),

orders as (

    select * from {{ ref('stg_shopify__orders') }}
    where not coalesce(is_test, false)

),

lines as (

    select
        orders.order_id,
        sum(lines.gross - coalesce(case when orders.taxes_included then lines.tax end, 0)) as gross,
        sum(lines.discount) as discount
    from {{ ref('stg_shopify__order_lines') }} as lines
    inner join orders on lines.order_id = orders.order_id
    where not lines.is_gift_card
    group by orders.order_id

),

refunds as (

    select
        order_id,
        sum(goods - coalesce(adjustment, 0)) as returns
    from {{ ref('stg_shopify__refunds') }}
    group by order_id

)

select
    orders.order_name,
    lines.gross as gross_of_lines,
    revenue.gross,
    lines.discount as discount_of_lines,
    revenue.discount,
    refunds.returns as returns_of_refunds,
    revenue.returns
from orders
left join revenue on cast(orders.order_id as string) = revenue.order_id
left join lines on orders.order_id = lines.order_id
left join refunds on orders.order_id = refunds.order_id
where
    coalesce(lines.gross, 0) != coalesce(revenue.gross, 0)
    or coalesce(lines.discount, 0) != coalesce(revenue.discount, 0)
    or coalesce(refunds.returns, 0) != coalesce(revenue.returns, 0)
