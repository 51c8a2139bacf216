-- Events of the app by hour of the day (UTC) and action.
select
    hour(hour) as hour_of_day,
    action,
    sum(event_count) as events
from {{ ref('events_by_hour') }}
group by hour(hour), action
