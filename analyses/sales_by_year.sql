-- Lines, sales and profit by year, in whole currency units; without a year where the order date is unknown.
select
    dates.year,
    count(*) as lines,
    cast(sum(sales.sales_amount) as bigint) as sales_amount,
    cast(sum(sales.profit) as bigint) as profit
from {{ ref('fct_sales') }} as sales
left join {{ ref('dim_date') }} as dates on sales.order_date = dates.date_day
group by dates.year
order by dates.year
