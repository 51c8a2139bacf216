-- Recordings of the last day of the stream by band of beats per minute.
with newest as (
    select max(time) as newest
    from {{ ref('workout_bpm') }}
),

banded as (
    select
        heart.heartrate,
        case
            when heart.heartrate < 100 then 'below 100'
            when heart.heartrate < 120 then '100 to 120'
            when heart.heartrate < 140 then '120 to 140'
            when heart.heartrate < 160 then '140 to 160'
            else '160 and more'
        end as band
    from {{ ref('workout_bpm') }} as heart
    cross join newest
    where heart.valid and heart.time > newest.newest - interval 1 day
)

select
    band,
    count(*) as recordings,
    min(heartrate) as lowest
from banded
group by band
order by lowest
