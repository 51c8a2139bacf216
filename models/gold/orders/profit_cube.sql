select
    cast(year(order_date) as int) as year,
    category,
    sub_category,
    customer_id,
    customer_name,
    count(*) as order_line_count,
    cast(sum(price) as decimal(18, 2)) as revenue,
    cast(sum(profit) as decimal(18, 2)) as profit
from {{ ref('fct_orders') }}
group by cast(year(order_date) as int), category, sub_category, customer_id, customer_name
