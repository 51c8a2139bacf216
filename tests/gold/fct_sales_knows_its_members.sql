-- Lines of an unknown customer, product or cost; they resolve themselves once these arrive.
{{ config(severity='warn') }}

select *
from {{ ref('fct_sales') }}
where customer_key = '-1' or product_key = '-1' or unit_cost is null
