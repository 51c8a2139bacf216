{{ config(tags=['no_source']) }}

with days as (

    select explode(
        sequence(cast('{{ var("first_day") }}' as date), cast('{{ var("last_day") }}' as date))
    ) as date_day

)

select
    date_day,
    cast(year(date_day) as int) as year,
    cast(quarter(date_day) as int) as quarter,
    cast(month(date_day) as int) as month,
    date_format(date_day, 'MMMM') as month_name,
    cast(weekofyear(date_day) as int) as week,
    cast(day(date_day) as int) as day_of_month,
    cast((dayofweek(date_day) + 5) % 7 + 1 as int) as day_of_week,
    date_format(date_day, 'EEEE') as day_name,
    dayofweek(date_day) in (1, 7) as is_weekend
from days
