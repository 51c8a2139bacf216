-- The newest recording of a wearable.
select max(time) as newest
from {{ ref('workout_bpm') }}
