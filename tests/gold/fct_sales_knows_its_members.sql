-- Lines that point at an unknown customer or product, or whose cost is unknown; they may resolve themselves later.
{{ config(severity='warn') }}

select *
from {{ ref('fct_sales') }}
where '-1' in (customer_key, product_key) or unit_cost is null
