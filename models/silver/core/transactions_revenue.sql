with transactions as (

    select * from {{ ref('stg_transactions__transactions') }}

),

statuses as (

    select * from {{ ref('transaction_statuses') }}

),

-- the API keeps the newest state alone: what was paid back was paid before
events as (

    select
        transactions.*,
        'payment' as event_type,
        transactions.created_at as occurred_at,
        transactions.amount as total
    from transactions
    inner join statuses on transactions.status = statuses.status and statuses.is_paid
    union all
    select
        transactions.*,
        'refund' as event_type,
        transactions.updated_at as occurred_at,
        -transactions.amount as total
    from transactions
    inner join statuses on transactions.status = statuses.status and statuses.is_paid_back

)

select
    -- ids
    'transactions' as channel,
    transaction_id as source_id,
    event_type,
    cast(null as string) as order_id,
    transaction_id as payment_id,
    'transactions' as identity_source,
    transaction_id as identity_id,

    -- times
    occurred_at,
    cast(occurred_at as date) as local_date,

    -- money
    currency,
    coalesce(case when event_type = 'payment' then total end, 0) as gross,
    0 as discount,
    coalesce(case when event_type = 'refund' then -total end, 0) as returns,
    0 as shipping,
    cast(null as decimal(18, 3)) as tax,
    cast(null as decimal(18, 3)) as tip,
    cast(null as decimal(18, 3)) as gift_card,
    cast(null as decimal(18, 3)) as duty,
    total as total_charged,
    cast(null as decimal(18, 3)) as fee,
    cast(null as string) as fee_currency

from events
