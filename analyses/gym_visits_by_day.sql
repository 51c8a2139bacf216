-- Visits with a workout, by day and gym: how many, and how much of their time was spent exercising.
with visits as (

    select
        visit_date,
        gym,
        mac_address,
        login,
        minutes_in_gym,
        sum(minutes_exercising) as minutes_exercising
    from {{ ref('gym_summary') }}
    group by visit_date, gym, mac_address, login, minutes_in_gym

)

select
    visit_date,
    gym,
    count(*) as visits,
    sum(minutes_in_gym) as minutes_in_gym,
    sum(minutes_exercising) as minutes_exercising
from visits
group by visit_date, gym
order by visit_date, gym
