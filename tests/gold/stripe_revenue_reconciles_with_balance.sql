-- What moved the balance at Stripe is what customers were charged at Stripe's own rates, which round each
-- movement to a cent.
with movements as (

    select
        *,
        row_number() over (
            partition by id
            order by regexp_extract(_source_file, '[^/]+$', 0) desc, _ingested_at desc, _source_file desc
        ) as version_rank
    from {{ source('stripe', 'balance_transactions') }}
    where id is not null

),

digits as (

    select * from {{ ref('stripe_currencies') }}

),

bronze as (

    select
        movements.id as source_id,
        movements.reporting_category,
        cast(movements.amount as double) / power(10, digits.minor_digits) as moved,
        coalesce(movements.exchange_rate, 1) as exchange_rate
    from movements
    left join digits on upper(movements.currency) = digits.currency
    where movements.version_rank = 1

),

gold as (

    select * from {{ ref('fct_revenue') }}
    where channel = 'stripe'

)

select
    bronze.reporting_category,
    count(*) as movements,
    sum(bronze.moved) as moved,
    sum(cast(gold.total_charged as double) * bronze.exchange_rate) as charged
from bronze
inner join gold on bronze.source_id = gold.source_id
group by bronze.reporting_category
having
    abs(sum(bronze.moved) - sum(cast(gold.total_charged as double) * bronze.exchange_rate)) > 0.01 * count(*)
