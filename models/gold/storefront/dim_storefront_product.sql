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
        products.list_price,
        coalesce(orders.order_count, 0) as order_count,
        coalesce(orders.quantity_sold, 0) as quantity_sold,
        coalesce(orders.profit, 0) as profit,

        -- booleans
        products.is_deleted

    from products
    left join orders on products.product_id = orders.product_id

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
        cast(0 as bigint) as order_count,
        cast(0 as bigint) as quantity_sold,
        cast(0 as decimal(18, 2)) as profit,
        false as is_deleted

)

select * from joined
union all
select * from unknown
