-- A workout is completed by the first stop within three hours after its start, and by no other.
with actions as (

    select * from {{ ref('workouts') }}

),

starts_with_stops as (

    select
        starts.user_id,
        starts.workout_id,
        starts.session_id,
        starts.time as start_time,
        min(stops.time) as end_time
    from actions as starts
    inner join actions as stops
        on
            starts.user_id = stops.user_id
            and starts.workout_id = stops.workout_id
            and starts.session_id = stops.session_id
            and starts.time < stops.time
            and starts.time + interval 3 hours >= stops.time
    where starts.action = 'start' and stops.action = 'stop'
    group by starts.user_id, starts.workout_id, starts.session_id, starts.time

),

completed as (

    select * from {{ ref('completed_workouts') }}

)

{% set columns = 'user_id, workout_id, session_id, start_time, end_time' -%}

(
    select {{ columns }} from starts_with_stops
    except
    select {{ columns }} from completed
)
union all
(
    select {{ columns }} from completed
    except
    select {{ columns }} from starts_with_stops
)
