-- Every completed session is in the summary, with as many recordings as it has valid heart rates.
with sessions as (

    select distinct
        user_id,
        workout_id,
        session_id
    from {{ ref('completed_workouts') }}

),

recordings as (

    select
        user_id,
        workout_id,
        session_id,
        count(*) as recording_count
    from {{ ref('workout_bpm') }}
    where valid
    group by user_id, workout_id, session_id

),

summaries as (

    select
        user_id,
        workout_id,
        session_id,
        num_recordings
    from {{ ref('workout_bpm_summary') }}

),

expected as (

    select
        sessions.*,
        coalesce(recordings.recording_count, 0) as num_recordings
    from sessions
    left join recordings
        on
            sessions.user_id = recordings.user_id
            and sessions.workout_id = recordings.workout_id
            and sessions.session_id = recordings.session_id

)

(
    select * from expected
    except
    select * from summaries
)
union all
(
    select * from summaries
    except
    select * from expected
)
