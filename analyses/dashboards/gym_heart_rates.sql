-- The newest thousand recordings of wearables by band of beats per minute.
with newest as (
    select heartrate
    from {{ ref('workout_bpm') }}
    where valid
    order by time desc, device_id
    limit 1000
),

banded as (
    select
        heartrate,
        case
            when heartrate < 100 then 'below 100'
            when heartrate < 120 then '100 to 120'
            when heartrate < 140 then '120 to 140'
            when heartrate < 160 then '140 to 160'
            else '160 and more'
        end as band
    from newest
)

select
    band,
    count(*) as recordings,
    min(heartrate) as lowest
from banded
group by band
order by lowest
