{{ config(
    materialized='incremental',
    unique_key=['order_number', 'product_number'],
    liquid_clustered_by=['order_date']
) }}

with sales as (

    select * from {{ ref('stg_crm__sales') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

),

costs as (

    select * from {{ ref('dim_product_cost') }}

),

joined as (

    select
        -- ids
        sales.order_number,
        sales.product_number,
        sales.customer_id,
        coalesce(products.product_key, '-1') as product_key,
        coalesce(customers.customer_key, '-1') as customer_key,

        -- dates
        sales.order_date,
        sales.ship_date,
        sales.due_date,

        -- numerics
        sales.quantity,
        sales.price,
        sales.sales_amount,
        costs.cost as unit_cost,
        try_cast(sales.sales_amount - sales.quantity * costs.cost as decimal(18, 2)) as profit,

        -- lineage
        sales._ingested_at

    from sales
    left join products on sales.product_number = products.product_number
    left join customers on sales.customer_id = customers.customer_id
    left join costs
        on
            sales.product_number = costs.product_number
            and coalesce(sales.order_date, date '9999-12-31') between costs.applies_from and costs.applies_to

)

-- new lines, and those whose customer, product or cost has changed
select * from joined
{% if is_incremental() %}
except
select
    order_number,
    product_number,
    customer_id,
    product_key,
    customer_key,
    order_date,
    ship_date,
    due_date,
    quantity,
    price,
    sales_amount,
    unit_cost,
    profit,
    _ingested_at
from {{ this }}
{% endif %}
