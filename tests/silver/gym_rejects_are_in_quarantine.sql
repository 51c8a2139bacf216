-- What the streams reject is in quarantine, where copies that come soon after one another may be one record.
with rejected as (

    select
        'kafka_multiplex' as table_name,
        concat_ws('|', topic, key, value) as record
    from {{ gym_messages() }}
    where is_unusable
    union all
    select
        'registered_users' as table_name,
        concat_ws('|', user_id, device_id, mac_address, registration_timestamp) as record
    from {{ source('gym', 'registered_users') }}
    where {{ gym_rejected_registration() }}
    union all
    select
        'gym_logins' as table_name,
        concat_ws('|', mac_address, gym, login, logout) as record
    from {{ source('gym', 'gym_logins') }}
    where {{ gym_rejected(['mac_address', 'gym', 'login'], 'login') }} or logout < login

),

rejected_counts as (

    select
        table_name,
        count(*) as rejected_rows,
        count(distinct record) as distinct_rows
    from rejected
    group by table_name

),

quarantined_counts as (

    select
        table_name,
        count(*) as quarantined_rows
    from {{ source('ops', 'quarantine') }}
    where source = 'gym' and _batch_id like 'silver-%'
    group by table_name

)

select
    rejected_counts.*,
    quarantined_counts.quarantined_rows
from rejected_counts
left join quarantined_counts on rejected_counts.table_name = quarantined_counts.table_name
where
    not coalesce(quarantined_counts.quarantined_rows, 0)
    between rejected_counts.distinct_rows and rejected_counts.rejected_rows
