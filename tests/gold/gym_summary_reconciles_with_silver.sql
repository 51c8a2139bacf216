-- The summary has every session that starts inside a visit, and no others.
{% set keys = 'mac_address, gym, login, user_id, workout_id, session_id' -%}

with expected as (

    select distinct
        visits.mac_address,
        visits.gym,
        visits.login,
        users.user_id,
        workouts.workout_id,
        workouts.session_id
    from {{ ref('gym_visits') }} as visits
    inner join {{ ref('users') }} as users on visits.mac_address = users.mac_address
    inner join {{ ref('completed_workouts') }} as workouts
        on
            users.user_id = workouts.user_id
            and visits.login <= workouts.start_time
            and visits.logout >= workouts.start_time

),

summaries as (

    select {{ keys }} from {{ ref('gym_summary') }}

)

(
    select {{ keys }} from expected
    except
    select {{ keys }} from summaries
)
union all
(
    select {{ keys }} from summaries
    except
    select {{ keys }} from expected
)
