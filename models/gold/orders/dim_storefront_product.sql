with products as (

    select * from {{ ref('stg_storefront__products') }}

),

orders as (

    select
        product_id,
        count(distinct order_id) as order_count,
        sum(quantity) as quantity_sold,
        cast(sum(cast(profit as decimal(18, 2))) as decimal(18, 2)) as profit
    from {{ ref('stg_storefront__orders') }}
    group by product_id

),

joined as (

    select
        -- ids
        {{ surrogate_key('products.product_id') }} as product_key,
        products.product_id,

        -- text
        coalesce(products.product_name, 'Unknown') as product_name,
        coalesce(products.category, 'Unknown') as category,
        coalesce(products.sub_category, 'Unknown') as sub_category,
        products.state,

        -- numerics
        cast(products.list_price as decimal(18, 4)) as list_price,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.quantity_sold, 0) as quantity_sold,
        coalesce(orders.profit, 0) as profit,

        -- booleans
        products.is_deleted

    from products
    left join orders on products.product_id = orders.product_id

),

-- what was sold of products that nobody delivered
orders_of_unknown as (

    select
        count(distinct orders.order_id) as order_count,
        coalesce(sum(orders.quantity), 0) as quantity_sold,
        coalesce(cast(sum(cast(orders.profit as decimal(18, 2))) as decimal(18, 2)), 0) as profit
    from {{ ref('stg_storefront__orders') }} as orders
    left anti join products on orders.product_id = products.product_id

),

unknown as (

    select
        '-1' as product_key,
        '-1' as product_id,
        'Unknown' as product_name,
        'Unknown' as category,
        'Unknown' as sub_category,
        cast(null as string) as state,
        cast(null as decimal(18, 4)) as list_price,
        order_count,
        quantity_sold,
        profit,
        false as is_deleted
    from orders_of_unknown

)

select * from joined
union all
select * from unknown
