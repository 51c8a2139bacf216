select
    date_trunc('hour', event_time) as hour,
    action,
    count(*) as event_count
from {{ ref('stg_events__events') }}
group by date_trunc('hour', event_time), action
