-- The fact holds every line of bronze once, with its profit in cents.
with newest_lines as (

    select
        profit,
        row_number() over (
            partition by row_id
            order by
                _ingested_at desc,
                order_id, order_date, ship_date, ship_mode, customer_id, product_id,
                quantity, price, discount, profit
        ) as line_rank
    from {{ source('storefront', 'orders') }}
    where
        row_id is not null
        and coalesce(abs(profit) < 1000000000000, true)
        and coalesce(abs(try_cast(price as decimal(38, 18))) < 1000000000000, true)

),

bronze as (

    select
        count(*) as line_count,
        sum(cast(profit as decimal(18, 2))) as profit
    from newest_lines
    where line_rank = 1

),

gold as (

    select
        count(*) as line_count,
        sum(profit) as profit
    from {{ ref('fct_orders') }}

)

select
    bronze.line_count as bronze_lines,
    gold.line_count as gold_lines,
    bronze.profit as bronze_profit,
    gold.profit as gold_profit
from bronze
cross join gold
where bronze.line_count != gold.line_count or not bronze.profit <=> gold.profit
