-- The last ten builds and tests.
select
    command,
    finished_at,
    models_ok,
    models_failed,
    tests_passed,
    tests_warned,
    tests_failed
from {{ source('ops', 'builds') }}
order by finished_at desc
limit 10
