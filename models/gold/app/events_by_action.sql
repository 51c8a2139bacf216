select
    action,
    sum(event_count) as event_count
from {{ ref('events_by_hour') }}
group by action
