-- The sessions of a visit follow each other with a pause, and have numbers from 1.
with ordered as (

    select
        session_id,
        part,
        started_at,
        ended_at,
        lag(ended_at) over (partition by session_id order by part) as ended_before,
        row_number() over (partition by session_id order by started_at) as place
    from {{ ref('fct_sessions') }}

)

select *
from ordered
where
    part != place
    or ended_at < started_at
    or started_at <= ended_before + interval {{ var('session_gap_minutes') }} minutes
