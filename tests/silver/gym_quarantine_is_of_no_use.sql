-- What the streams put into quarantine lacks what is needed, or is a visit with an impossible end.
with quarantined as (

    select * from {{ source('ops', 'quarantine') }}
    where source = 'gym' and _batch_id like 'silver-%'

),

messages as (

    select
        parsed.record,
        parsed._ingested_at,
        parsed.sent.*
    from (
        select
            *,
            from_json(record, 'topic string, key string, value string, offset bigint') as sent
        from quarantined
        where table_name = 'kafka_multiplex'
    ) as parsed

),

logins as (

    select
        parsed.record,
        parsed._ingested_at,
        parsed.sent.*
    from (
        select
            *,
            from_json(record, 'mac_address string, gym bigint, login bigint, logout bigint') as sent
        from quarantined
        where table_name = 'gym_logins'
    ) as parsed

),

registrations as (

    select
        parsed.record,
        parsed._ingested_at,
        parsed.sent.*
    from (
        select
            *,
            from_json(record, 'user_id bigint, device_id bigint, registration_timestamp bigint') as sent
        from quarantined
        where table_name = 'registered_users'
    ) as parsed

)

select value as record from {{ gym_messages('messages') }}
where not is_unusable
union all
select record from logins
where
    not {{ gym_rejected(['mac_address', 'gym', 'login'], 'login') }}
    and not {{ gym_rejected_logout() }}
union all
select record from registrations
where not ({{ gym_rejected_registration() }})
