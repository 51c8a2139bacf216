-- CRM profit by day and product line.
select
    sales.order_date,
    products.product_line,
    sum(sales.profit) as profit
from {{ ref('fct_sales') }} as sales
left join {{ ref('dim_product') }} as products on sales.product_key = products.product_key
group by sales.order_date, products.product_line
