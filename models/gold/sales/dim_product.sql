with current_periods as (

    select * from {{ ref('dim_product_cost') }}
    where is_current

),

products as (

    select * from {{ ref('stg_crm__products') }}

),

categories as (

    select * from {{ ref('stg_erp__categories') }}

),

joined as (

    select
        -- ids
        {{ surrogate_key('products.product_number') }} as product_key,
        products.product_id,
        products.product_number,

        -- text
        products.product_name,
        coalesce(categories.category, 'n/a') as category,
        coalesce(categories.subcategory, 'n/a') as subcategory,
        products.product_line,

        -- numerics
        products.cost,

        -- dates
        products.start_date,

        -- booleans
        categories.maintenance_required,
        products.is_deleted

    from current_periods
    inner join products on current_periods.product_id = products.product_id
    left join categories on products.category_id = categories.category_id

),

unknown as (

    select
        '-1' as product_key,
        -1 as product_id,
        'n/a' as product_number,
        'Unknown' as product_name,
        'n/a' as category,
        'n/a' as subcategory,
        'n/a' as product_line,
        cast(null as decimal(18, 2)) as cost,
        cast(null as date) as start_date,
        cast(null as boolean) as maintenance_required,
        false as is_deleted

)

select * from joined
union all
select * from unknown
