with steps as (

    select *
    from
        values
        (1, 'visit'), (2, 'product_view'), (3, 'add_to_cart'), (4, 'checkout'), (5, 'purchase')
            as steps (step_number, step)

),

-- a day on which a step was not reached has a row for it, too
counted as (

    select
        sessions.started_on as date_day,
        steps.step,
        steps.step_number,
        count(*) as all_sessions,
        count(distinct sessions.user_key) as all_users,
        count_if(sessions.steps_reached >= steps.step_number) as sessions,
        count(
            distinct case when sessions.steps_reached >= steps.step_number then sessions.user_key end
        ) as users
    from {{ ref('fct_sessions') }} as sessions
    cross join steps
    group by sessions.started_on, steps.step, steps.step_number

)

select
    date_day,
    step,
    step_number,
    sessions,
    users,
    {{ divide('sessions', 'all_sessions', 4) }} as rate,
    {{ divide('users', 'all_users', 4) }} as user_rate,
    {{ divide(
        'sessions', 'lag(sessions) over (partition by date_day order by step_number)', 4
    ) }} as step_rate
from counted
