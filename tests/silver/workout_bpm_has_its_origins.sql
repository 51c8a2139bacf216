-- A heart rate of a workout is one of a device of the user, recorded during a completed session.
with recordings as (

    select * from {{ ref('workout_bpm') }}

),

without_heart_rate as (

    select recordings.*
    from recordings
    left anti join {{ ref('heart_rate') }} as heart_rates
        on
            recordings.device_id = heart_rates.device_id
            and recordings.time = heart_rates.time
            and recordings.heartrate <=> heart_rates.heartrate
            and recordings.valid <=> heart_rates.valid

),

without_device as (

    select recordings.*
    from recordings
    left anti join {{ ref('users') }} as users
        on recordings.user_id = users.user_id and recordings.device_id = users.device_id

),

without_workout as (

    select recordings.*
    from recordings
    left anti join {{ ref('completed_workouts') }} as workouts
        on
            recordings.user_id = workouts.user_id
            and recordings.workout_id = workouts.workout_id
            and recordings.session_id = workouts.session_id
            and recordings.time > workouts.start_time
            and recordings.time <= workouts.end_time

)

select
    'heart_rate' as missing,
    *
from without_heart_rate
union all
select
    'users' as missing,
    *
from without_device
union all
select
    'completed_workouts' as missing,
    *
from without_workout
