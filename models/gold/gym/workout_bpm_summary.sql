{{ config(materialized='incremental', unique_key=['user_id', 'workout_id', 'session_id']) }}

{%- set completed_workouts = source('gym', 'completed_workouts') %}
{%- set workout_bpm = source('gym', 'workout_bpm') %}
{%- set profile_history = source('gym', 'user_profile_history') %}

with workouts as (

    select * from {{ completed_workouts }}

),

{% if is_incremental() %}

-- sessions of new workouts, with new heart rates, and of users whose profile changed
-- each input has a time of its own: one may be committed later than another that was written after it
changed as (

    select
        user_id,
        workout_id,
        session_id
    from workouts
    where
        _updated_at > {{ newest('workout_updated_at', this) }}
        or user_id in (
            select history.user_id from {{ profile_history }} as history
            where history._updated_at > {{ newest('profile_updated_at', this) }}
        )
    union all
    select
        user_id,
        workout_id,
        session_id
    from {{ workout_bpm }}
    where _updated_at > {{ newest('bpm_updated_at', this) }}

),

{% endif %}

completed as (

    select workouts.*
    from workouts
    {% if is_incremental() %}
    left semi join changed
        on
            workouts.user_id = changed.user_id
            and workouts.workout_id = changed.workout_id
            and workouts.session_id = changed.session_id
    {% endif %}

),

sessions as (

    select
        user_id,
        workout_id,
        session_id,
        min(start_time) as started_at,
        max(end_time) as ended_at,
        {{ seen_until('max(_updated_at)') }} as workout_updated_at
    from completed
    group by user_id, workout_id, session_id

),

heart_rates as (

    select recordings.*
    from {{ workout_bpm }} as recordings
    left semi join sessions
        on
            recordings.user_id = sessions.user_id
            and recordings.workout_id = sessions.workout_id
            and recordings.session_id = sessions.session_id

),

bpm as (

    select
        user_id,
        workout_id,
        session_id,
        min(heartrate) filter (where valid) as min_bpm,
        -- a sum of doubles depends on the order in which an engine adds them up, even when it is rounded
        cast(
            round(avg(try_cast(heartrate as decimal(28, 6))) filter (where valid), 6) as double
        ) as avg_bpm,
        max(heartrate) filter (where valid) as max_bpm,
        count_if(valid) as num_recordings,
        {{ seen_until('max(_updated_at)') }} as bpm_updated_at
    from heart_rates
    group by user_id, workout_id, session_id

),

-- profile and time of its last change from one table, so that they agree at any moment
profile_changes as (

    select
        *,
        row_number() over (
            partition by user_id order by event_time desc, message_offset desc
        ) as age_of_change,
        {{ seen_until('max(_updated_at) over (partition by user_id)') }} as profile_updated_at
    from {{ profile_history }}
    where user_id in (select sessions.user_id from sessions)

),

profiles as (

    select
        user_id,
        profile_updated_at,
        if(update_type = 'delete', null, dob) as dob,
        if(update_type = 'delete', null, gender) as gender,
        if(update_type = 'delete', null, city) as city,
        if(update_type = 'delete', null, state) as state
    from profile_changes
    where age_of_change = 1

),

joined as (

    select
        sessions.*,
        bpm.min_bpm,
        bpm.avg_bpm,
        bpm.max_bpm,
        bpm.num_recordings,
        bpm.bpm_updated_at,
        profiles.gender,
        profiles.city,
        profiles.state,
        profiles.profile_updated_at,
        {{ age_in_years('profiles.dob', 'cast(sessions.started_at as date)') }} as age
    from sessions
    left join bpm
        on
            sessions.user_id = bpm.user_id
            and sessions.workout_id = bpm.workout_id
            and sessions.session_id = bpm.session_id
    left join profiles on sessions.user_id = profiles.user_id

)

select
    -- ids
    user_id,
    workout_id,
    session_id,

    -- timestamps
    started_at,
    ended_at,

    -- numerics
    min_bpm,
    avg_bpm,
    max_bpm,
    coalesce(num_recordings, 0) as num_recordings,

    -- text
    case
        when age is null then 'invalid age'
        when age < 18 then 'under 18'
        when age < 25 then '18-25'
        when age >= 95 then '95+'
        else concat(age - (age - 5) % 10, '-', age - (age - 5) % 10 + 10)
    end as age_band,
    coalesce(gender, 'Unknown') as gender,
    coalesce(city, 'Unknown') as city,
    coalesce(state, 'Unknown') as state,

    -- versions
    greatest(workout_updated_at, bpm_updated_at, profile_updated_at) as updated_at,
    workout_updated_at,
    bpm_updated_at,
    profile_updated_at

from joined
