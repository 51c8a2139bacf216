-- Every aggregate, and each dimension with its unknown member, has the profit of all lines, to the cent.
-- An aggregate of no lines is empty; the dimensions say 0.
with lines as (

    select coalesce(sum(profit), 0) as profit from {{ ref('fct_orders') }}

),

aggregates as (

    {% for name in [
        'profit_cube', 'profit_by_year', 'profit_by_category', 'profit_by_sub_category', 'profit_by_customer',
        'dim_storefront_customer', 'dim_storefront_product'
    ] %}
    select
        '{{ name }}' as aggregate_name,
        coalesce(sum(profit), 0) as profit
    from {{ ref(name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    aggregates.aggregate_name,
    aggregates.profit,
    lines.profit as profit_of_lines
from aggregates
cross join lines
where not aggregates.profit <=> lines.profit
