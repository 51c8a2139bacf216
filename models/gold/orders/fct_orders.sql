{{ config(materialized='incremental', unique_key='row_id') }}

with orders as (

    select * from {{ ref('stg_storefront__orders') }}
    {% if is_incremental() and var('order_year', none) %}
    -- a period is taken up anew, without a look at the others
    where year(order_date) = {{ var('order_year') }}
    {% endif %}

),

customers as (

    select * from {{ ref('dim_storefront_customer') }}

),

products as (

    select * from {{ ref('dim_storefront_product') }}

),

joined as (

    select
        -- ids
        orders.row_id,
        orders.order_id,
        orders.customer_id,
        coalesce(customers.customer_key, '-1') as customer_key,
        orders.product_id,
        coalesce(products.product_key, '-1') as product_key,

        -- text
        orders.ship_mode,
        coalesce(customers.customer_name, 'Unknown') as customer_name,
        coalesce(customers.country, 'Unknown') as country,
        coalesce(products.product_name, 'Unknown') as product_name,
        coalesce(products.category, 'Unknown') as category,
        coalesce(products.sub_category, 'Unknown') as sub_category,

        -- dates
        orders.order_date,
        orders.ship_date,

        -- numerics
        orders.quantity,
        cast(orders.price as decimal(18, 2)) as price,
        orders.discount,
        cast(orders.profit as decimal(18, 2)) as profit

    from orders
    left join customers on orders.customer_id = customers.customer_id
    left join products on orders.product_id = products.product_id

)

-- new lines, and those whose customer or product has changed
select * from joined
{% if is_incremental() %}
except
select
    row_id,
    order_id,
    customer_id,
    customer_key,
    product_id,
    product_key,
    ship_mode,
    customer_name,
    country,
    product_name,
    category,
    sub_category,
    order_date,
    ship_date,
    quantity,
    price,
    discount,
    profit
from {{ this }}
{% endif %}
