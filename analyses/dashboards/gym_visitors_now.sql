-- Who came within three hours before the newest login and did not leave.
with newest as (
    select max(login) as newest_login
    from {{ ref('gym_visits') }}
)

select
    count(visits.mac_address) as visitors,
    max(newest.newest_login) as newest_login
from newest
left join {{ ref('gym_visits') }} as visits
    on visits.logout is null and visits.login > newest.newest_login - interval 3 hours
