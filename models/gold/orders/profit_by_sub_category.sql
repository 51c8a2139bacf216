select
    category,
    sub_category,
    cast(sum(profit) as decimal(18, 2)) as profit
from {{ ref('profit_cube') }}
group by category, sub_category
