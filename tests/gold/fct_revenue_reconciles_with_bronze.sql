-- What customers were charged is that of bronze, by channel, currency and day. CRM and storefront are
-- compared with facts that have such tests of their own; Stripe has a test beside this one.
with shopify as (

    select
        *,
        row_number() over (
            partition by id
            order by updated_at desc nulls last, _ingested_at desc, _source_file desc
        ) as version_rank
    from {{ source('shopify', 'orders') }}
    where id is not null

),

agreements as (

    select
        explode(from_json(
            agreements,
            'array<struct<
                happenedAt:string,
                sales:array<struct<totalAmount:struct<shopMoney:struct<amount:string, currencyCode:string>>>>
            >>'
        )) as agreement
    from shopify
    where version_rank = 1 and not coalesce(is_test, false)

),

exploded as (

    select
        try_cast(agreement.happenedAt as timestamp) as happened_at,
        explode(agreement.sales) as sale
    from agreements

),

sales as (

    select
        happened_at,
        sale.totalAmount.shopMoney as money
    from exploded

),

transactions as (

    select
        *,
        row_number() over (
            partition by transaction_id
            order by updated_at desc nulls last, _ingested_at desc, _source_file desc
        ) as version_rank
    from {{ source('transactions', 'transactions') }}
    where transaction_id is not null

),

bronze as (

    select
        'crm' as channel,
        'USD' as currency,
        order_date as day,
        sales_amount as charged
    from {{ ref('fct_sales') }}
    union all
    select
        'storefront' as channel,
        'USD' as currency,
        order_date as day,
        price as charged
    from {{ ref('fct_orders') }}
    union all
    select
        'shopify' as channel,
        money.currencyCode as currency,
        cast(happened_at as date) as day,
        cast(money.amount as decimal(18, 3)) as charged
    from sales
    union all
    select
        'transactions' as channel,
        upper(trim(currency)) as currency,
        cast(created_at as date) as day,
        cast(amount as decimal(18, 3)) as charged
    from transactions
    where version_rank = 1 and lower(trim(status)) in ('captured', 'paid', 'succeeded', 'settled', 'refunded')
    union all
    select
        'transactions' as channel,
        upper(trim(currency)) as currency,
        cast(updated_at as date) as day,
        cast(-amount as decimal(18, 3)) as charged
    from transactions
    where version_rank = 1 and lower(trim(status)) = 'refunded'

),

expected as (

    select
        channel,
        currency,
        day,
        sum(charged) as charged
    from bronze
    group by channel, currency, day

),

gold as (

    select
        channel,
        currency,
        cast(occurred_at as date) as day,
        sum(total_charged) as charged
    from {{ ref('fct_revenue') }}
    where channel != 'stripe'
    group by channel, currency, cast(occurred_at as date)

)

select
    coalesce(expected.channel, gold.channel) as channel,
    coalesce(expected.currency, gold.currency) as currency,
    coalesce(expected.day, gold.day) as day,
    expected.charged as bronze_charged,
    gold.charged as gold_charged
from expected
full join gold
    on
        expected.channel = gold.channel
        and expected.currency <=> gold.currency
        and expected.day <=> gold.day
where not coalesce(expected.charged, 0) <=> coalesce(gold.charged, 0)
