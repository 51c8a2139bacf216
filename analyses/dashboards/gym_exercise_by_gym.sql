-- Minutes of exercise by day and gym.
select
    visit_date as x,
    cast(gym as string) as series,
    sum(minutes_exercising) as y,
    count(*) as row_count
from {{ ref('gym_summary') }}
group by visit_date, cast(gym as string)
