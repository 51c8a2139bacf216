{{ config(materialized='incremental', unique_key='transaction_id') }}

with source as (

    select * from {{ source('transactions', 'transactions') }}
    where transaction_id is not null
    {% if is_incremental() %}
    -- an older version may be delivered later
    and transaction_id in (
        select transaction_id from {{ source('transactions', 'transactions') }}
        where _ingested_at > {{ newest('_ingested_at', this) }}
    )
    {% endif %}

),

-- all columns decide between copies of a version, so that a rerun decides alike
ranked as (

    select
        *,
        max(_ingested_at) over (partition by transaction_id) as last_ingested_at,
        row_number() over (
            partition by transaction_id
            order by
                updated_at desc nulls last, _ingested_at desc,
                order_reference, customer_email, amount, currency, status, created_at
        ) as version_rank
    from source

),

renamed as (

    select
        -- ids
        transaction_id,
        trim(order_reference) as order_reference,

        -- text
        lower(trim(customer_email)) as customer_email,
        lower(trim(status)) as status,

        -- money
        amount,
        upper(trim(currency)) as currency,

        -- times
        created_at,
        updated_at,

        -- lineage
        last_ingested_at as _ingested_at

    from ranked
    where version_rank = 1

)

select * from renamed
