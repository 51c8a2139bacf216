-- Events of the app by day and action.
select
    cast(hour as date) as x,
    action as series,
    sum(event_count) as y,
    count(*) as row_count
from {{ ref('events_by_hour') }}
group by cast(hour as date), action
