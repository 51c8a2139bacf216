{{ config(materialized='incremental', unique_key='row_id') }}

with source as (

    select * from {{ source('storefront', 'orders') }}
    where
        -- money of a size that sums of cents cannot hold is no money
        coalesce(abs(profit) < 1000000000000, true)
        and coalesce(abs(try_cast(price as decimal(38, 18))) < 1000000000000, true)
        and {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

-- all columns decide between copies of a line in one file, so that a rerun decides alike
ranked as (

    select
        *,
        row_number() over (
            partition by row_id
            order by
                _ingested_at desc,
                order_id, order_date, ship_date, ship_mode, customer_id, product_id,
                quantity, price, discount, profit
        ) as line_rank
    from source

),

renamed as (

    select
        -- ids
        row_id,
        trim(order_id) as order_id,
        trim(customer_id) as customer_id,
        trim(product_id) as product_id,

        -- text
        trim(ship_mode) as ship_mode,
        price as sent_price,

        -- dates
        {{ day_month_year_to_date('order_date') }} as order_date,
        {{ day_month_year_to_date('ship_date') }} as ship_date,

        -- numerics
        quantity,
        cast({{ spreadsheet_number('price') }} as decimal(38, 18)) as price,
        discount,
        profit,

        -- lineage
        _ingested_at

    from ranked
    where line_rank = 1 and row_id is not null

)

select * from renamed
