-- CRM revenue by day and country of the customer.
select
    sales.order_date as x,
    customers.country as series,
    sum(sales.sales_amount) as y,
    count(*) as row_count
from {{ ref('fct_sales') }} as sales
left join {{ ref('dim_customer') }} as customers on sales.customer_key = customers.customer_key
group by sales.order_date, customers.country
