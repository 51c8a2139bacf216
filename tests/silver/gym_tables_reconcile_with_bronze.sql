-- Whatever bronze was sent about gyms is in silver or in quarantine; row accounting tells that there is no more.
{%- set messages -%}
    select * from {{ gym_messages() }}
    where {{ unchecked(source('gym', 'kafka_multiplex'), ['_ingested_at']) }}
{%- endset %}

with missing as (

    select
        'kafka_multiplex' as table_name,
        concat_ws('|', topic, key, value) as record
    from ({{ messages }}) as messages
    left anti join {{ source('gym', 'heart_rate') }} as silver
        on messages.device_id = silver.device_id and {{ gym_timestamp('messages.time') }} = silver.time
    where messages.topic = 'bpm'
    union all
    select
        'kafka_multiplex' as table_name,
        concat_ws('|', topic, key, value) as record
    from ({{ messages }}) as messages
    left anti join {{ source('gym', 'workouts') }} as silver
        on
            messages.user_id = silver.user_id
            and messages.workout_id = silver.workout_id
            and messages.session_id = silver.session_id
            and messages.action = silver.action
            and {{ gym_timestamp('messages.time') }} = silver.time
    where messages.topic = 'workout'
    union all
    select
        'kafka_multiplex' as table_name,
        concat_ws('|', topic, key, value) as record
    from ({{ messages }}) as messages
    left anti join {{ source('gym', 'user_profile_history') }} as silver
        on
            messages.user_id = silver.user_id
            and {{ gym_timestamp('messages.time') }} = silver.event_time
            and messages.offset = silver.message_offset
    where messages.topic = 'user_info'
    union all
    select
        'kafka_multiplex' as table_name,
        concat_ws('|', topic, key, value) as record
    from {{ source('gym', 'kafka_multiplex') }}
    where
        coalesce(topic not in ('bpm', 'workout', 'user_info'), true)
        and ({{ unchecked(source('gym', 'kafka_multiplex'), ['_ingested_at']) }})
    union all
    select
        'gym_logins' as table_name,
        concat_ws('|', mac_address, gym, login, logout) as record
    from {{ source('gym', 'gym_logins') }} as logins
    left anti join {{ source('gym', 'gym_visits') }} as silver
        on
            logins.mac_address = silver.mac_address
            and logins.gym = silver.gym
            and {{ gym_timestamp('logins.login') }} = silver.login
            -- a logout may be later than was sent here, but neither earlier nor unknown
            and (logins.logout is null or {{ gym_timestamp('logins.logout') }} <= silver.logout)
    where {{ unchecked(source('gym', 'gym_logins'), ['_ingested_at']) }}
    union all
    select
        'registered_users' as table_name,
        concat_ws('|', user_id, device_id, mac_address, registration_timestamp) as record
    from {{ source('gym', 'registered_users') }} as registrations
    left anti join {{ source('gym', 'users') }} as silver
        on registrations.user_id = silver.user_id and registrations.device_id = silver.device_id
    where {{ unchecked(source('gym', 'registered_users'), ['_ingested_at']) }}

),

quarantined as (

    select
        table_name,
        case table_name
            when 'kafka_multiplex' then concat_ws('|', sent.topic, sent.key, sent.value)
            when 'gym_logins' then concat_ws('|', sent.mac_address, sent.gym, sent.login, sent.logout)
            else concat_ws('|', sent.user_id, sent.device_id, sent.mac_address, sent.registration_timestamp)
        end as record
    from (
        select
            table_name,
            from_json(
                record,
                'topic string, key string, value string, mac_address string, gym bigint, login bigint, logout bigint, '
                || 'user_id bigint, device_id bigint, registration_timestamp bigint'
            ) as sent
        from {{ source('ops', 'quarantine') }}
        where source = 'gym' and _batch_id like 'silver-%'
    ) as parsed

)

select missing.*
from missing
left anti join quarantined
    on missing.table_name = quarantined.table_name and missing.record = quarantined.record
