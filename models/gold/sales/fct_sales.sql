{{ config(materialized='incremental', unique_key=['order_number', 'product_number']) }}

with costs as (

    -- sales before the first period take the first, sales of an unknown day the current one
    select
        product_number,
        cost as unit_cost,
        case
            when row_number() over (partition by product_number order by valid_from nulls first) > 1 then valid_from
            else cast('0001-01-01' as date)
        end as valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('dim_product_cost') }}

),

sales as (

    select
        order_number,
        product_number,
        customer_id,
        order_date,
        ship_date,
        due_date,
        quantity,
        price,
        sales_amount,
        _ingested_at
    from {{ ref('stg_crm__sales') }}
    {% if is_incremental() %}
    where _ingested_at > {{ newest('_ingested_at', this) }}
    {% endif %}

),

{% if is_incremental() %}

-- lines that an earlier run stored, and whose dimensions may know more by now
stored as (

    select
        stored.order_number,
        stored.product_number,
        stored.customer_id,
        stored.order_date,
        stored.ship_date,
        stored.due_date,
        stored.quantity,
        stored.price,
        stored.sales_amount,
        stored._ingested_at
    from {{ this }} as stored
    left join costs
        on
            stored.product_number = costs.product_number
            and coalesce(stored.order_date, cast('9999-12-31' as date)) between costs.valid_from and costs.valid_to
    left anti join sales
        on
            stored.order_number = sales.order_number
            and stored.product_number = sales.product_number
    where
        stored.unit_cost is distinct from costs.unit_cost
        or '-1' in (stored.customer_key, stored.product_key)

),

{% endif %}

lines as (

    select * from sales
    {% if is_incremental() %}
    union all
    select * from stored
    {% endif %}

),

customers as (

    select * from {{ ref('dim_customer') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

joined as (

    select
        -- ids
        lines.order_number,
        lines.product_number,
        lines.customer_id,
        coalesce(products.product_key, '-1') as product_key,
        coalesce(customers.customer_key, '-1') as customer_key,

        -- dates
        lines.order_date,
        lines.ship_date,
        lines.due_date,

        -- numerics
        lines.quantity,
        lines.price,
        lines.sales_amount,
        costs.unit_cost,
        cast(lines.sales_amount - lines.quantity * costs.unit_cost as decimal(18, 2)) as profit,

        -- lineage
        lines._ingested_at

    from lines
    left join products on lines.product_number = products.product_number
    left join customers on lines.customer_id = customers.customer_id
    left join costs
        on
            lines.product_number = costs.product_number
            and coalesce(lines.order_date, cast('9999-12-31' as date)) between costs.valid_from and costs.valid_to

)

select * from joined
