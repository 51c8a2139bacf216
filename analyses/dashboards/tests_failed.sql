-- What tests found when they ran last, by test.
with builds as (
    select
        invocation_id,
        row_number() over (order by finished_at desc) as age
    from {{ source('ops', 'builds') }}
    where command in ('build', 'test')
)

select
    found.severity,
    found.message,
    min(found.failed_at) as failed_at
from {{ source('ops', 'failed_rows') }} as found
inner join builds on found.invocation_id = builds.invocation_id
where builds.age = 1
group by found.severity, found.message
order by found.severity, found.message
