with customers as (

    select * from {{ ref('stg_storefront__customers') }}

),

orders as (

    select
        customer_id,
        count(distinct order_id) as order_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        cast(sum(cast(profit as decimal(18, 2))) as decimal(18, 2)) as profit
    from {{ ref('stg_storefront__orders') }}
    group by customer_id

),

people as (

    select
        source_id as customer_id,
        person_key
    from {{ ref('person_identities') }}
    where source = 'storefront'

),

joined as (

    select
        -- ids
        {{ surrogate_key('customers.customer_id') }} as customer_key,
        customers.customer_id,
        coalesce(people.person_key, '-1') as person_key,

        -- text
        coalesce(customers.customer_name, 'Unknown') as customer_name,
        customers.email,
        customers.phone,
        customers.phone_extension,
        customers.address,
        coalesce(customers.segment, 'Unknown') as segment,
        coalesce(customers.country, 'Unknown') as country,
        customers.city,
        customers.state,
        customers.postal_code,
        customers.region,

        -- numerics
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.profit, 0) as profit,

        -- dates
        orders.first_order_date,
        orders.last_order_date,

        -- booleans
        customers.is_deleted

    from customers
    left join orders on customers.customer_id = orders.customer_id
    left join people on customers.customer_id = people.customer_id

),

-- what customers bought that nobody delivered
orders_of_unknown as (

    select
        count(distinct orders.order_id) as order_count,
        min(orders.order_date) as first_order_date,
        max(orders.order_date) as last_order_date,
        coalesce(cast(sum(cast(orders.profit as decimal(18, 2))) as decimal(18, 2)), 0) as profit
    from {{ ref('stg_storefront__orders') }} as orders
    left anti join customers on orders.customer_id = customers.customer_id

),

unknown as (

    select
        '-1' as customer_key,
        '-1' as customer_id,
        '-1' as person_key,
        'Unknown' as customer_name,
        cast(null as string) as email,
        cast(null as string) as phone,
        cast(null as string) as phone_extension,
        cast(null as string) as address,
        'Unknown' as segment,
        'Unknown' as country,
        cast(null as string) as city,
        cast(null as string) as state,
        cast(null as string) as postal_code,
        cast(null as string) as region,
        order_count,
        profit,
        first_order_date,
        last_order_date,
        false as is_deleted
    from orders_of_unknown

)

select * from joined
union all
select * from unknown
