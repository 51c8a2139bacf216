-- Events of the app by hour of the day (UTC) and action.
select
    hour(hour) as x,
    action as series,
    sum(event_count) as y,
    count(*) as row_count
from {{ ref('events_by_hour') }}
group by hour(hour), action
