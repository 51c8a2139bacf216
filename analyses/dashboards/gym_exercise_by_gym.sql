-- Minutes of exercise by day and gym.
select
    visit_date,
    cast(gym as string) as gym,
    sum(minutes_exercising) as exercise
from {{ ref('gym_summary') }}
group by visit_date, cast(gym as string)
