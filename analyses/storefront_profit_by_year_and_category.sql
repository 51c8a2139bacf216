-- Storefront profit by year and product category.
select
    year,
    category,
    sum(profit) as profit
from {{ ref('profit_cube') }}
group by year, category
order by year, category
