{{ config(
    materialized='incremental',
    unique_key=['mac_address', 'gym', 'login', 'user_id', 'workout_id', 'session_id']
) }}

{%- set completed_workouts = source('gym', 'completed_workouts') %}
{%- set gym_visits = source('gym', 'gym_visits') %}
{%- set registrations = source('gym', 'users') %}

-- a user may have registered a device more than once
with users as (

    select
        user_id,
        mac_address,
        {{ seen_until('max(_updated_at)') }} as user_updated_at
    from {{ registrations }}
    group by user_id, mac_address

),

-- while a visit lasts, nobody knows which workouts are in it
visits as (

    select
        mac_address,
        gym,
        login,
        logout,
        {{ seen_until('_updated_at') }} as visit_updated_at
    from {{ gym_visits }}
    where logout is not null

),

{% if is_incremental() %}

-- sessions of new workouts, of users that are registered anew, and in visits that are over now
-- each input has a time of its own: one may be committed later than another that was written after it
changed as (

    select
        user_id,
        workout_id,
        session_id
    from {{ completed_workouts }}
    where
        _updated_at > {{ newest('workout_updated_at', this) }}
        or user_id in (
            select registered.user_id from {{ registrations }} as registered
            where registered._updated_at > {{ newest('user_updated_at', this) }}
        )
    union all
    select
        workouts.user_id,
        workouts.workout_id,
        workouts.session_id
    from {{ gym_visits }} as visits
    inner join {{ registrations }} as users on visits.mac_address = users.mac_address
    inner join {{ completed_workouts }} as workouts
        on
            users.user_id = workouts.user_id
            and workouts.start_time between visits.login and visits.logout
    where visits._updated_at > {{ newest('visit_updated_at', this) }}

),

{% endif %}

workouts as (

    select completed.*
    from {{ completed_workouts }} as completed
    {% if is_incremental() %}
    left semi join changed
        on
            completed.user_id = changed.user_id
            and completed.workout_id = changed.workout_id
            and completed.session_id = changed.session_id
    {% endif %}

),

-- two starts that end with the same stop are one stretch of time, from the first of them
starts_in_visits as (

    select
        visits.*,
        users.user_id,
        users.user_updated_at,
        workouts.workout_id,
        workouts.session_id,
        {{ seen_until('workouts._updated_at') }} as workout_updated_at,
        if(
            workouts.start_time = min(workouts.start_time) over (
                partition by workouts.user_id, workouts.workout_id, workouts.session_id, workouts.end_time
            ),
            unix_micros(workouts.end_time) - unix_micros(workouts.start_time),
            cast(0 as bigint)
        ) as micros_exercising
    from visits
    inner join users on visits.mac_address = users.mac_address
    inner join workouts
        on
            users.user_id = workouts.user_id
            and workouts.start_time between visits.login and visits.logout

),

sessions_in_visits as (

    select
        mac_address,
        gym,
        login,
        logout,
        user_id,
        workout_id,
        session_id,
        unix_micros(logout) - unix_micros(login) as micros_in_gym,
        sum(micros_exercising) as micros_exercising,
        visit_updated_at,
        max(workout_updated_at) as workout_updated_at,
        max(user_updated_at) as user_updated_at
    from starts_in_visits
    group by mac_address, gym, login, logout, user_id, workout_id, session_id, visit_updated_at

)

select
    -- dates
    cast(login as date) as visit_date,

    -- ids
    gym,
    mac_address,
    user_id,
    login,
    workout_id,
    session_id,

    -- numerics
    {{ micros_to_minutes('micros_in_gym') }} as minutes_in_gym,
    {{ micros_to_minutes('micros_exercising') }} as minutes_exercising,

    -- versions
    greatest(visit_updated_at, workout_updated_at, user_updated_at) as updated_at,
    visit_updated_at,
    workout_updated_at,
    user_updated_at

from sessions_in_visits
