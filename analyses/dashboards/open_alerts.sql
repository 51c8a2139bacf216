-- What the last check found and is not over.
select
    severity,
    cast(opened_at as date) as since,
    check_name as `check`,
    entity,
    message,
    owner
from {{ source('ops', 'alerts') }}
where cleared_at is null
order by severity, opened_at, entity
