-- Storefront profit by customer, the best first.
select
    customer_id,
    customer_name,
    profit
from {{ ref('profit_by_customer') }}
order by profit desc, customer_id
