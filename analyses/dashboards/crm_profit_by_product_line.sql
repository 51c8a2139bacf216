-- CRM profit by day and product line.
select
    sales.order_date as x,
    products.product_line as series,
    sum(sales.profit) as y,
    count(*) as row_count
from {{ ref('fct_sales') }} as sales
left join {{ ref('dim_product') }} as products on sales.product_key = products.product_key
group by sales.order_date, products.product_line
