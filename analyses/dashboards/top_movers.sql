-- Subcategories of the CRM by their change of sales, thirteen weeks on the same a year before.
with newest as (
    select max(order_date) as last_day
    from {{ ref('fct_sales') }}
),

sales as (
    select
        products.subcategory,
        cast(datediff(newest.last_day, sold.order_date) as int) as days_ago,
        sold.sales_amount
    from {{ ref('fct_sales') }} as sold
    inner join {{ ref('dim_product') }} as products on sold.product_key = products.product_key
    cross join newest
),

compared as (
    select
        subcategory,
        sum(case when days_ago between 1 and 91 then sales_amount else cast(0 as decimal(18, 2)) end)
            as sales,
        sum(case when days_ago between 365 and 455 then sales_amount else cast(0 as decimal(18, 2)) end)
            as a_year_before
    from sales
    group by subcategory
)

select
    subcategory,
    sales,
    a_year_before,
    sales - a_year_before as change
from compared
order by abs(sales - a_year_before) desc, subcategory
limit 10
