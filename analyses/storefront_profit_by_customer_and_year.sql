-- Storefront profit by customer and year.
select
    customer_id,
    customer_name,
    year,
    sum(profit) as profit
from {{ ref('profit_cube') }}
group by customer_id, customer_name, year
order by customer_id, year
