-- Storefront profit by day and product category.
select
    order_date as x,
    category as series,
    sum(profit) as y,
    count(*) as row_count
from {{ ref('fct_orders') }}
group by order_date, category
