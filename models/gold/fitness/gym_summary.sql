{%- set session = 'user_id, workout_id, session_id' %}
{%- set visit = 'mac_address, gym, login, logout, visit_updated_at' %}
{{ config(materialized='incremental', unique_key=['mac_address', 'gym', 'login'] + session.split(', ')) }}

-- a user may have registered a device more than once
with users as (

    select
        user_id,
        mac_address,
        {{ seen_until('max(_updated_at)') }} as user_updated_at
    from {{ ref('users') }}
    group by user_id, mac_address

),

-- while a visit lasts, nobody knows which workouts are in it
visits as (

    select
        *,
        {{ seen_until('_updated_at') }} as visit_updated_at
    from {{ ref('gym_visits') }}
    where logout is not null

),

completed as (

    select * from {{ ref('completed_workouts') }}

),

{% if is_incremental() %}

-- sessions of new workouts, of users that are registered anew, and in visits that are over now
-- each input has a high-water mark of its own: of two, the one that was written first may be committed last
changed as (

    select {{ session }} from completed
    where
        _updated_at > {{ newest('workout_updated_at', this) }}
        or user_id in (
            select users.user_id from users
            where users.user_updated_at > {{ newest('user_updated_at', this) }}
        )
    union all
    select
        users.user_id,
        completed.workout_id,
        completed.session_id
    from visits
    inner join users on visits.mac_address = users.mac_address
    inner join completed
        on users.user_id = completed.user_id and completed.start_time between visits.login and visits.logout
    where visits._updated_at > {{ newest('visit_updated_at', this) }}

),

{% endif %}

workouts as (

    select * from completed
    {% if is_incremental() %}
    where ({{ session }}) in (select {{ session }} from changed)
    {% endif %}

),

starts_in_visits as (

    select
        visits.*,
        users.user_id,
        users.user_updated_at,
        workouts.workout_id,
        workouts.session_id,
        workouts.start_time,
        workouts.end_time,
        {{ seen_until('workouts._updated_at') }} as workout_updated_at,
        workouts.start_time = min(workouts.start_time) over (
            partition by workouts.user_id, workouts.workout_id, workouts.session_id, workouts.end_time
        ) as is_first
    from visits
    inner join users on visits.mac_address = users.mac_address
    inner join workouts
        on users.user_id = workouts.user_id and workouts.start_time between visits.login and visits.logout

),

sessions_in_visits as (

    select
        {{ visit }},
        {{ session }},
        -- of starts that end with the same stop, the first alone counts
        sum(unix_micros(end_time) - unix_micros(start_time)) filter (where is_first) as micros_exercising,
        max(workout_updated_at) as workout_updated_at,
        max(user_updated_at) as user_updated_at
    from starts_in_visits
    group by {{ visit }}, {{ session }}

)

select
    cast(login as date) as visit_date,
    gym,
    mac_address,
    user_id,
    login,
    workout_id,
    session_id,
    {{ divide('(unix_micros(logout) - unix_micros(login))', 60000000) }} as minutes_in_gym,
    {{ divide('coalesce(micros_exercising, 0)', 60000000) }} as minutes_exercising,
    greatest(visit_updated_at, workout_updated_at, user_updated_at) as updated_at,
    visit_updated_at,
    workout_updated_at,
    user_updated_at
from sessions_in_visits
