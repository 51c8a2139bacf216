select
    customer_id,
    customer_name,
    cast(sum(profit) as decimal(18, 2)) as profit
from {{ ref('profit_cube') }}
group by customer_id, customer_name
