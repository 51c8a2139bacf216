-- The products that sold best, with their profit where the cost is known.
select
    products.product_name,
    products.category,
    sum(sales.quantity) as pieces,
    sum(sales.sales_amount) as sales,
    sum(sales.profit) as profit
from {{ ref('fct_sales') }} as sales
inner join {{ ref('dim_product') }} as products on sales.product_key = products.product_key
group by products.product_name, products.category
order by sales desc, products.product_name
limit 20
