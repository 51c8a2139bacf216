{{ config(materialized='incremental', unique_key=['order_number', 'product_number']) }}

with source as (

    select * from {{ source('crm', 'sales_details') }}
    where
        -- money of a size that sums of cents cannot hold is no money
        coalesce(abs(cast(sls_quantity as bigint) * sls_price) < 1000000000000, true)
        and {{ '_ingested_at > ' ~ newest('_ingested_at', this) if is_incremental() else 'true' }}

),

-- all columns decide between copies of a line in one file, so that a rerun decides alike
ranked as (

    select
        *,
        row_number() over (
            partition by sls_ord_num, sls_prd_key
            order by
                _ingested_at desc,
                sls_cust_id, sls_order_dt, sls_ship_dt, sls_due_dt, sls_sales, sls_quantity, sls_price
        ) as line_rank
    from source

),

typed as (

    select
        *,
        cast(sls_sales as decimal(18, 2)) as sent_amount,
        cast(sls_price as decimal(18, 2)) as sent_price,
        try_cast(sls_quantity * abs(cast(sls_price as decimal(18, 2))) as decimal(18, 2)) as computed_amount,
        {{ divide('sls_sales', 'sls_quantity') }} as computed_price
    from ranked
    where
        line_rank = 1
        and sls_ord_num is not null
        and sls_prd_key is not null

),

renamed as (

    select
        -- ids
        sls_ord_num as order_number,
        sls_prd_key as product_number,
        sls_cust_id as customer_id,

        -- dates
        {{ yyyymmdd_to_date('sls_order_dt') }} as order_date,
        {{ yyyymmdd_to_date('sls_ship_dt') }} as ship_date,
        {{ yyyymmdd_to_date('sls_due_dt') }} as due_date,

        -- numerics
        sls_quantity as quantity,
        case
            when sent_price > 0 then sent_price
            when computed_price > 0 then computed_price
        end as price,
        case
            when sent_amount > 0 and sent_amount = coalesce(computed_amount, sent_amount) then sent_amount
            when computed_amount > 0 then computed_amount
        end as sales_amount,

        -- lineage
        _ingested_at

    from typed

)

select * from renamed
