-- CRM revenue by day and country of the customer.
select
    sales.order_date,
    customers.country,
    sum(sales.sales_amount) as revenue
from {{ ref('fct_sales') }} as sales
left join {{ ref('dim_customer') }} as customers on sales.customer_key = customers.customer_key
group by sales.order_date, customers.country
