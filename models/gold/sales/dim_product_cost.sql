with products as (

    select * from {{ ref('stg_crm__products') }}

),

-- the periods of the product's last delivery: all that are still delivered or, when the product is gone
-- altogether, those that went with it
delivered as (

    select
        *,
        rank() over (
            partition by product_number
            order by is_deleted, case when is_deleted then _changed_at end desc
        ) as delivery_rank
    from products

),

-- one period per start, so that periods never overlap
ranked as (

    select
        *,
        row_number() over (partition by product_number, start_date order by product_id desc) as period_rank
    from delivered
    where delivery_rank = 1

),

periods as (

    select
        -- ids
        product_number,
        product_id,

        -- numerics
        cost,

        -- dates
        start_date as valid_from,
        date_sub(
            lead(start_date) over (partition by product_number order by start_date nulls first), 1
        ) as valid_to

    from ranked
    where period_rank = 1

)

-- a sale before the first period has its cost, one of an unknown day the current cost
select
    *,
    valid_to is null as is_current,
    case
        when row_number() over (partition by product_number order by valid_from nulls first) > 1
            then valid_from
        else date '0001-01-01'
    end as applies_from,
    coalesce(valid_to, date '9999-12-31') as applies_to
from periods
