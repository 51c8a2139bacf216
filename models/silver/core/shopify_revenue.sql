with sales as (

    select * from {{ ref('stg_shopify__sales') }}

),

orders as (

    select * from {{ ref('stg_shopify__orders') }}
    where not coalesce(is_test, false)

),

-- the ledger's total contains the tax; discounts are taken off already
split as (

    select
        sales.*,
        orders.customer_id,
        sales.total - sales.tax as net,
        sales.line_type = 'product' and sales.action_type in ('order', 'update') as is_sale,
        sales.line_type = 'adjustment' or (sales.line_type = 'product' and sales.action_type = 'return')
            as is_return,
        sales.line_type in ('duty', 'additional_fee', 'fee') as is_duty
    from sales
    inner join orders on sales.order_id = orders.order_id

)

select
    -- ids
    'shopify' as channel,
    cast(sale_id as string) as source_id,
    case
        when line_type = 'adjustment' then 'adjustment'
        when action_type = 'order' then 'sale'
        when action_type = 'update' then 'edit'
        else action_type
    end as event_type,
    cast(order_id as string) as order_id,
    cast(null as string) as payment_id,
    if(customer_id is null, 'shopify_order', 'shopify') as identity_source,
    cast(coalesce(customer_id, order_id) as string) as identity_id,

    -- times
    happened_at as occurred_at,
    happened_date as local_date,

    -- money
    currency,
    coalesce(case when is_sale then net + discount end, 0) as gross,
    coalesce(case when is_sale then discount end, 0) as discount,
    coalesce(case when is_return then -net end, 0) as returns,
    coalesce(case when line_type = 'shipping' then net end, 0) as shipping,
    coalesce(case when line_type not in ('tip', 'gift_card') and not is_duty then tax end, 0) as tax,
    coalesce(case when line_type = 'tip' then total end, 0) as tip,
    coalesce(case when line_type = 'gift_card' then total end, 0) as gift_card,
    coalesce(case when is_duty then total end, 0) as duty,
    total as total_charged,
    cast(null as decimal(18, 3)) as fee,
    cast(null as string) as fee_currency

from split
