-- Every heart rate of a user's device during a completed workout is one of the workout.
with recorded as (

    select
        workouts.user_id,
        workouts.workout_id,
        workouts.session_id,
        heart_rates.device_id,
        heart_rates.time,
        heart_rates.heartrate
    from {{ ref('heart_rate') }} as heart_rates
    inner join {{ ref('users') }} as users on heart_rates.device_id = users.device_id
    inner join {{ ref('completed_workouts') }} as workouts
        on
            users.user_id = workouts.user_id
            and heart_rates.time > workouts.start_time
            and heart_rates.time <= workouts.end_time

)

select recorded.*
from recorded
left anti join {{ ref('workout_bpm') }} as recordings
    on
        recorded.user_id = recordings.user_id
        and recorded.workout_id = recordings.workout_id
        and recorded.session_id = recordings.session_id
        and recorded.device_id = recordings.device_id
        and recorded.time = recordings.time
