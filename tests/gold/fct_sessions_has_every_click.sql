-- Each click is in one session, and each session of a day in its funnel.
with clicks as (

    select count(*) as clicks from {{ ref('stg_clickstream__events') }}

),

sessions as (

    select
        coalesce(sum(clicks), 0) as clicks,
        count(*) as sessions
    from {{ ref('fct_sessions') }}

),

visits as (

    select coalesce(sum(sessions), 0) as sessions
    from {{ ref('conversion_funnel') }}
    where step = 'visit'

)

select
    clicks.clicks,
    sessions.clicks as clicks_in_sessions,
    sessions.sessions,
    visits.sessions as sessions_in_funnel
from clicks
cross join sessions
cross join visits
where clicks.clicks != sessions.clicks or sessions.sessions != visits.sessions
