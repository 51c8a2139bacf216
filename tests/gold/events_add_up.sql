-- Every event is counted once, by action and by hour.
with events as (

    select count(*) as event_count from {{ ref('stg_events__events') }}

),

counts as (

    select sum(event_count) as event_count from {{ ref('events_by_action') }}
    union all
    select sum(event_count) as event_count from {{ ref('events_by_hour') }}

)

select
    counts.event_count as counted,
    events.event_count
from counts
cross join events
where coalesce(counts.event_count, 0) != events.event_count
