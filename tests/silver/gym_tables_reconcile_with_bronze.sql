-- Whatever bronze was sent about gyms is in silver or in quarantine; row accounting tells of more.
{%- set messages -%}
    select
        *,
        concat_ws('|', topic, key, value) as record
    from {{ gym_messages() }}
{%- endset %}

with missing as (

    select
        'kafka_multiplex' as table_name,
        messages.record
    from ({{ messages }}) as messages
    left anti join {{ ref('heart_rate') }} as silver
        on messages.device_id = silver.device_id and {{ gym_timestamp('messages.time') }} = silver.time
    where messages.topic = 'bpm'
    union all
    select
        'kafka_multiplex' as table_name,
        messages.record
    from ({{ messages }}) as messages
    left anti join {{ ref('workouts') }} as silver
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
        messages.record
    from ({{ messages }}) as messages
    left anti join {{ ref('user_profile_history') }} as silver
        on
            messages.user_id = silver.user_id
            and {{ gym_timestamp('messages.time') }} = silver.event_time
            and messages.offset = silver.message_offset
    where messages.topic = 'user_info'
    union all
    select
        'kafka_multiplex' as table_name,
        record
    from ({{ messages }}) as messages
    where coalesce(topic not in ('bpm', 'workout', 'user_info'), true)
    union all
    select
        'gym_logins' as table_name,
        concat_ws('|', logins.mac_address, logins.gym, logins.login, logins.logout) as record
    from {{ source('gym', 'gym_logins') }} as logins
    left anti join {{ ref('gym_visits') }} as silver
        on
            logins.mac_address = silver.mac_address
            and logins.gym = silver.gym
            and {{ gym_timestamp('logins.login') }} = silver.login
            -- a logout may be later than was sent here, but neither earlier nor unknown
            and (logins.logout is null or {{ gym_timestamp('logins.logout') }} <= silver.logout)
    union all
    select
        'registered_users' as table_name,
        concat_ws('|', sent.mac_address, sent.user_id, sent.device_id, sent.registration_timestamp) as record
    from {{ source('gym', 'registered_users') }} as sent
    left anti join {{ ref('users') }} as silver
        on sent.user_id = silver.user_id and sent.device_id = silver.device_id

),

quarantined as (

    select
        table_name,
        from_json(
            record,
            'topic string, key string, value string, '
            || 'mac_address string, gym bigint, login bigint, logout bigint, '
            || 'user_id bigint, device_id bigint, registration_timestamp bigint'
        ) as sent
    from {{ source('ops', 'quarantine') }}
    where source = 'gym' and _batch_id like 'silver-%'

),

-- fields that a table does not have are null, and left out
rejected as (

    select
        quarantined.table_name,
        concat_ws(
            '|',
            quarantined.sent.topic, quarantined.sent.key, quarantined.sent.value,
            quarantined.sent.mac_address,
            quarantined.sent.gym, quarantined.sent.login, quarantined.sent.logout,
            quarantined.sent.user_id, quarantined.sent.device_id, quarantined.sent.registration_timestamp
        ) as record
    from quarantined

)

select missing.*
from missing
left anti join rejected
    on missing.table_name = rejected.table_name and missing.record = rejected.record
