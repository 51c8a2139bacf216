select
    user_id,
    workout_id,
    session_id,
    min(start_time) as started_at,
    max(end_time) as ended_at,
    {{ seen_until('max(_updated_at)') }} as updated_at
from {{ ref('completed_workouts') }}
group by user_id, workout_id, session_id
