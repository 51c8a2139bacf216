-- Whatever bronze was sent about gyms and is of use is in silver; row accounting tells that there is no more.
with messages as (

    select * from {{ gym_messages() }}
    where not is_unusable and ({{ unchecked(source('gym', 'kafka_multiplex'), ['_ingested_at']) }})

),

logins as (

    select * from {{ source('gym', 'gym_logins') }}
    where
        not {{ gym_rejected(['mac_address', 'gym', 'login'], 'login') }}
        and ({{ unchecked(source('gym', 'gym_logins'), ['_ingested_at']) }})

),

registrations as (

    select * from {{ source('gym', 'registered_users') }}
    where
        not ({{ gym_rejected_registration() }})
        and ({{ unchecked(source('gym', 'registered_users'), ['_ingested_at']) }})

),

heart_rates as (

    select
        device_id,
        timestamp_seconds(time) as time
    from messages
    where topic = 'bpm'

),

workouts as (

    select
        user_id,
        workout_id,
        session_id,
        action,
        timestamp_seconds(time) as time
    from messages
    where topic = 'workout'

),

profiles as (

    select
        user_id,
        timestamp_seconds(time) as event_time,
        offset as message_offset
    from messages
    where topic = 'user_info'

),

missing as (

    select
        'heart_rate' as table_name,
        concat_ws(', ', messages.device_id, messages.time) as record
    from heart_rates as messages
    left anti join {{ source('gym', 'heart_rate') }} as silver
        on messages.device_id = silver.device_id and messages.time = silver.time
    union all
    select
        'workouts' as table_name,
        concat_ws(', ', messages.user_id, messages.workout_id, messages.session_id, messages.time) as record
    from workouts as messages
    left anti join {{ source('gym', 'workouts') }} as silver
        on
            messages.user_id = silver.user_id
            and messages.workout_id = silver.workout_id
            and messages.session_id = silver.session_id
            and messages.action = silver.action
            and messages.time = silver.time
    union all
    select
        'user_profile_history' as table_name,
        concat_ws(', ', messages.user_id, messages.event_time, messages.message_offset) as record
    from profiles as messages
    left anti join {{ source('gym', 'user_profile_history') }} as silver
        on
            messages.user_id = silver.user_id
            and messages.event_time = silver.event_time
            and messages.message_offset = silver.message_offset
    union all
    select
        'gym_visits' as table_name,
        concat_ws(', ', logins.mac_address, logins.gym, logins.login) as record
    from logins
    left anti join {{ source('gym', 'gym_visits') }} as silver
        on
            logins.mac_address = silver.mac_address
            and logins.gym = silver.gym
            and timestamp_seconds(logins.login) = silver.login
            -- a logout may be later than was sent here, but neither earlier nor unknown
            and (
                coalesce(logins.logout < logins.login, true)
                or timestamp_seconds(logins.logout) <= silver.logout
            )
    union all
    select
        'users' as table_name,
        concat_ws(', ', registrations.user_id, registrations.device_id) as record
    from registrations
    left anti join {{ source('gym', 'users') }} as silver
        on registrations.user_id = silver.user_id and registrations.device_id = silver.device_id

)

select * from missing
