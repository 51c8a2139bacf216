{{ config(
    materialized='incremental',
    unique_key=['order_number', 'product_number'],
    liquid_clustered_by=['order_date']
) }}

with costs as (

    -- sales before the first period take the first, sales of an unknown day the current one
    select
        product_number,
        cost as unit_cost,
        case
            when row_number() over (partition by product_number order by valid_from nulls first) > 1
                then valid_from
            else date '0001-01-01'
        end as first_day,
        coalesce(valid_to, date '9999-12-31') as last_day
    from {{ ref('dim_product_cost') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

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

-- stored lines whose customer, product or cost is another by now
outdated as (

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
    left join products on stored.product_number = products.product_number
    left join customers on stored.customer_id = customers.customer_id
    left join costs
        on
            stored.product_number = costs.product_number
            and coalesce(stored.order_date, date '9999-12-31') between costs.first_day and costs.last_day
    where
        stored.product_key != coalesce(products.product_key, '-1')
        or stored.customer_key != coalesce(customers.customer_key, '-1')
        or stored.unit_cost is distinct from costs.unit_cost

),

{% endif %}

lines as (

    select * from sales
    {% if is_incremental() %}
    union all
    select outdated.* from outdated
    left anti join sales
        on
            outdated.order_number = sales.order_number
            and outdated.product_number = sales.product_number
    {% endif %}

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
            and coalesce(lines.order_date, date '9999-12-31') between costs.first_day and costs.last_day

)

select * from joined
