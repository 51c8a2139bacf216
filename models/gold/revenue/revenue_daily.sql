with revenue as (

    select * from {{ ref('fct_revenue') }}
    where occurred_at is not null

),

-- up to when a source has told: a shop without an order has changes of stock
heard as (

    select
        'shopify' as channel,
        max(updated_at) as heard_until
    from {{ ref('stg_shopify__orders') }}
    union all
    select
        'shopify' as channel,
        max(updated_at) as heard_until
    from {{ ref('stg_shopify__inventory_history') }}
    union all
    select
        'stripe' as channel,
        max(created_at) as heard_until
    from {{ ref('stg_stripe__events') }}
    union all
    select
        'transactions' as channel,
        max(updated_at) as heard_until
    from {{ ref('stg_transactions__transactions') }}
    union all
    select
        channel,
        max(occurred_at) as heard_until
    from revenue
    group by channel

),

channels as (

    select
        revenue.channel,
        cast(min(revenue.occurred_at) as date) as first_day,
        cast(max(heard.heard_until) as date) as last_day
    from revenue
    inner join heard on revenue.channel = heard.channel
    group by revenue.channel

),

days as (

    select
        *,
        explode(sequence(first_day, last_day)) as date_day
    from channels

),

sums as (

    select
        channel,
        cast(occurred_at as date) as date_day,
        sum(amount_usd) as amount_usd,
        count(distinct order_key) as orders
    from revenue
    group by channel, cast(occurred_at as date)

),

dense as (

    select
        days.date_day,
        days.channel,
        cast(coalesce(sums.amount_usd, 0) as decimal(18, 2)) as amount_usd,
        coalesce(sums.orders, 0) as orders,
        -- the last day still runs
        days.date_day < days.last_day as is_complete
    from days
    left join sums on days.channel = sums.channel and days.date_day = sums.date_day

),

compared as (

    select
        *,
        lag(amount_usd, 1) over (partition by channel order by date_day) as day_before,
        lag(amount_usd, 7) over (partition by channel order by date_day) as week_before,
        lag(amount_usd, 364) over (partition by channel order by date_day) as same_weekday_before
    from dense

)

select
    compared.date_day,
    compared.channel,
    compared.amount_usd,
    compared.orders,
    {% for base, growth in {
        'compared.day_before': 'growth_day',
        'compared.week_before': 'growth_week',
        'compared.same_weekday_before': 'growth_year',
        'year_before.amount_usd': 'growth_calendar_year',
    }.items() -%}
    case
        when compared.is_complete and {{ base }} > 0
            then cast(compared.amount_usd as double) / cast({{ base }} as double) - 1
    end as {{ growth }},
    {% endfor -%}
    compared.is_complete
from compared
left join dense as year_before
    on
        compared.channel = year_before.channel
        and add_months(compared.date_day, -12) = year_before.date_day
