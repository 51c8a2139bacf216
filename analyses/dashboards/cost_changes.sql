-- Products whose cost changed, the newest first.
with periods as (
    select
        product_number,
        valid_from,
        cost,
        lag(cost) over (partition by product_number order by valid_from) as cost_before
    from {{ ref('dim_product_cost') }}
)

select
    product_number,
    valid_from,
    cost_before,
    cost,
    cost - cost_before as change
from periods
where cost != cost_before
order by valid_from desc, product_number
limit 100
