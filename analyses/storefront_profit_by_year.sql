-- Storefront profit by year.
select
    year,
    profit
from {{ ref('profit_by_year') }}
order by year
