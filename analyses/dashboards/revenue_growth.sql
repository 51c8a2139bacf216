-- Growth of the last complete days by channel.
with newest as (
    select max(date_day) as last_day
    from {{ ref('revenue_daily') }}
    where is_complete
)

select
    days.date_day as `day`,
    days.channel,
    days.amount_usd as revenue_usd,
    days.orders,
    concat(
        cast(cast(round(days.growth_day * 100, 1) as decimal(18, 1)) as string), ' %'
    ) as on_the_day_before,
    concat(
        cast(cast(round(days.growth_week * 100, 1) as decimal(18, 1)) as string), ' %'
    ) as on_the_week_before,
    concat(
        cast(cast(round(days.growth_year * 100, 1) as decimal(18, 1)) as string), ' %'
    ) as on_the_year_before
from {{ ref('revenue_daily') }} as days
cross join newest
where days.is_complete and days.date_day > newest.last_day - interval 14 days
order by days.date_day desc, days.channel
