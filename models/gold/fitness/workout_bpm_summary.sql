{{ config(materialized='incremental', unique_key=['user_id', 'workout_id', 'session_id']) }}

{#- dbt would not see inputs that are read in later runs alone. -#}
{%- set completed_workouts, profile_history = ref('completed_workouts'), ref('user_profile_history') %}
{%- set session = 'user_id, workout_id, session_id' %}

with sessions as (

    select * from {{ ref('workout_sessions') }}

),

heart_rates as (

    select * from {{ ref('workout_bpm') }}

),

profiles as (

    select * from {{ ref('current_profiles') }}

),

{% if is_incremental() %}

-- sessions of new workouts, with new heart rates, and of users whose profile changed
-- each input has a high-water mark of its own: of two, the one that was written first may be committed last
changed as (

    select {{ session }} from {{ completed_workouts }}
    where _updated_at > {{ newest('workout_updated_at', this) }}
    union all
    select {{ session }} from heart_rates
    where _updated_at > {{ newest('bpm_updated_at', this) }}
    union all
    select {{ session }} from sessions
    where
        user_id in (
            select history.user_id from {{ profile_history }} as history
            where history._updated_at > {{ newest('profile_updated_at', this) }}
        )

),

{% endif %}

due as (

    select * from sessions
    {% if is_incremental() %}
    where ({{ session }}) in (select {{ session }} from changed)
    {% endif %}

),

bpm as (

    select
        user_id,
        workout_id,
        session_id,
        min(heartrate) filter (where valid) as min_bpm,
        -- a sum of doubles depends on the order in which an engine adds them up, even when it is rounded
        cast(round(avg(try_cast(heartrate as decimal(28, 6))) filter (where valid), 6) as double) as avg_bpm,
        max(heartrate) filter (where valid) as max_bpm,
        count_if(valid) as num_recordings,
        {{ seen_until('max(_updated_at)') }} as bpm_updated_at
    from heart_rates
    where ({{ session }}) in (select {{ session }} from due)
    group by user_id, workout_id, session_id

),

joined as (

    select
        due.*,
        bpm.min_bpm,
        bpm.avg_bpm,
        bpm.max_bpm,
        bpm.num_recordings,
        bpm.bpm_updated_at,
        profiles.gender,
        profiles.city,
        profiles.state,
        profiles.updated_at as profile_updated_at,
        {{ age_in_years('profiles.dob', 'cast(due.started_at as date)') }} as age
    from due
    left join bpm
        on due.user_id = bpm.user_id and due.workout_id = bpm.workout_id and due.session_id = bpm.session_id
    left join profiles on due.user_id = profiles.user_id

)

select
    user_id,
    workout_id,
    session_id,
    started_at,
    ended_at,
    min_bpm,
    avg_bpm,
    max_bpm,
    coalesce(num_recordings, 0) as num_recordings,
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
    greatest(updated_at, bpm_updated_at, profile_updated_at) as updated_at,
    updated_at as workout_updated_at,
    bpm_updated_at,
    profile_updated_at
from joined
