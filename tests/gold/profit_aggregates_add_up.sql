-- Every aggregate, and each dimension with its unknown member, has the profit of all lines, to the cent.
with lines as (

    select sum(profit) as profit from {{ ref('fct_orders') }}

),

aggregates as (

    select
        'profit_cube' as aggregate_name,
        sum(profit) as profit
    from {{ ref('profit_cube') }}
    union all
    select
        'profit_by_year' as aggregate_name,
        sum(profit) as profit
    from {{ ref('profit_by_year') }}
    union all
    select
        'profit_by_category' as aggregate_name,
        sum(profit) as profit
    from {{ ref('profit_by_category') }}
    union all
    select
        'profit_by_sub_category' as aggregate_name,
        sum(profit) as profit
    from {{ ref('profit_by_sub_category') }}
    union all
    select
        'profit_by_customer' as aggregate_name,
        sum(profit) as profit
    from {{ ref('profit_by_customer') }}
    union all
    select
        'dim_storefront_customer' as aggregate_name,
        sum(profit) as profit
    from {{ ref('dim_storefront_customer') }}
    union all
    select
        'dim_storefront_product' as aggregate_name,
        sum(profit) as profit
    from {{ ref('dim_storefront_product') }}

)

select
    aggregates.aggregate_name,
    aggregates.profit,
    lines.profit as profit_of_lines
from aggregates
cross join lines
where not aggregates.profit <=> lines.profit
