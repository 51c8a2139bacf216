-- How far each stream of the gyms is, and when it was written.
select
    'logins' as stream,
    count(*) as `rows`,
    max(login) as newest,
    max(_updated_at) as written_at
from {{ ref('gym_visits') }}
union all
select
    'heart rates' as stream,
    count(*) as `rows`,
    max(time) as newest,
    max(_updated_at) as written_at
from {{ ref('workout_bpm') }}
