-- Lines of an unknown customer, product or cost; they resolve themselves once these arrive.
{{ config(severity='warn') }}

select *
from {{ ref('fct_sales') }}
where '-1' in (customer_key, product_key) or unit_cost is null
