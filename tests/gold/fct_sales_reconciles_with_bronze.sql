-- The fact holds every line of bronze once, with its corrected amount: rule 3 written as a ladder of trust.
with newest_lines as (

    select
        cast(sls_sales as decimal(18, 2)) as amount,
        cast(sls_quantity as decimal(18, 2)) * abs(cast(sls_price as decimal(18, 2))) as product_of_price,
        row_number() over (
            partition by sls_ord_num, sls_prd_key
            order by
                _ingested_at desc,
                sls_cust_id, sls_order_dt, sls_ship_dt, sls_due_dt, sls_sales, sls_quantity, sls_price
        ) as line_rank
    from {{ source('crm', 'sales_details') }}
    where
        sls_ord_num is not null
        and sls_prd_key is not null
        and coalesce(abs(cast(sls_quantity as bigint) * sls_price) < 1000000000000, true)

),

bronze as (

    select
        count(*) as line_count,
        sum(
            coalesce(
                if(amount > 0 and product_of_price is null, amount, null),
                if(product_of_price > 0, product_of_price, null)
            )
        ) as amount
    from newest_lines
    where line_rank = 1

),

gold as (

    select
        count(*) as line_count,
        sum(sales_amount) as amount
    from {{ ref('fct_sales') }}

)

select
    bronze.line_count as bronze_lines,
    gold.line_count as gold_lines,
    bronze.amount as bronze_amount,
    gold.amount as gold_amount
from bronze
cross join gold
where bronze.line_count != gold.line_count or not bronze.amount <=> gold.amount
