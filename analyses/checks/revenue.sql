-- Revenue (USD) by complete day, of each channel and of all: small channels are judged in the total only.
with newest_days as (
    select
        channel,
        max(date_day) as newest_day,
        max(max(date_day)) over () as newest_of_all
    from {{ ref('revenue_daily') }}
    where is_complete
    group by channel
),

-- Up to this day all channels are known that have not ended.
known as (
    select min(newest_day) as last_day
    from newest_days
    where newest_day > date_sub(newest_of_all, 56)
)

select
    channel as entity,
    date_day,
    cast(amount_usd as double) as value,
    orders as size
from {{ ref('revenue_daily') }}
where is_complete

union all

select
    'all channels' as entity,
    revenue.date_day,
    cast(sum(revenue.amount_usd) as double) as value,
    cast(null as bigint) as size
from {{ ref('revenue_daily') }} as revenue
inner join known on revenue.date_day <= known.last_day
group by revenue.date_day
