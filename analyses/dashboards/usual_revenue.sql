-- Complete days of the last half year with what their weekday earned in the eight weeks before: the median and twice the
-- median deviation.
with days as (
    select
        date_day,
        sum(amount_usd) as amount_usd
    from {{ ref('revenue_daily') }}
    where is_complete
    group by date_day
),

weekdays as (
    select
        days.date_day,
        days.amount_usd,
        percentile(cast(earlier.amount_usd as double), 0.5) as median,
        count(earlier.date_day) as weeks
    from days
    left join days as earlier
        on
            earlier.date_day between days.date_day - interval 56 days and days.date_day - interval 7 days
            and dayofweek(earlier.date_day) = dayofweek(days.date_day)
    group by days.date_day, days.amount_usd
),

bands as (
    select
        weekdays.date_day,
        weekdays.amount_usd,
        weekdays.median,
        weekdays.weeks,
        percentile(abs(cast(earlier.amount_usd as double) - weekdays.median), 0.5) as deviation
    from weekdays
    left join days as earlier
        on
            earlier.date_day between weekdays.date_day - interval 56 days and weekdays.date_day - interval 7 days
            and dayofweek(earlier.date_day) = dayofweek(weekdays.date_day)
    group by weekdays.date_day, weekdays.amount_usd, weekdays.median, weekdays.weeks
),

newest as (
    select max(date_day) as last_day
    from days
)

select
    bands.date_day,
    bands.amount_usd,
    case when bands.weeks >= 4 then bands.median - 2 * bands.deviation end as low,
    case when bands.weeks >= 4 then bands.median + 2 * bands.deviation end as high,
    bands.weeks >= 4 and abs(cast(bands.amount_usd as double) - bands.median) > 2 * bands.deviation as is_unusual
from bands
cross join newest
where bands.date_day > newest.last_day - interval 182 days
order by bands.date_day
