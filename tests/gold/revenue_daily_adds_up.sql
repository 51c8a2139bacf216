-- The days of a channel hold all of its revenue whose day is known.
with events as (

    select
        channel,
        sum(amount_usd) as amount_usd
    from {{ ref('fct_revenue') }}
    where occurred_at is not null
    group by channel

),

days as (

    select
        channel,
        sum(amount_usd) as amount_usd
    from {{ ref('revenue_daily') }}
    group by channel

)

select
    events.channel,
    events.amount_usd as amount_of_events,
    days.amount_usd as amount_of_days
from events
left join days on events.channel = days.channel
where not coalesce(events.amount_usd, 0) <=> days.amount_usd
