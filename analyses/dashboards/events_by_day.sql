-- Events of the app by day and action.
select
    cast(hour as date) as `day`,
    action,
    sum(event_count) as events
from {{ ref('events_by_hour') }}
group by cast(hour as date), action
