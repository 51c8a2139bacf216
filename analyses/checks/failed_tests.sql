-- Tests that failed or warned when they last ran; tests and models of the newest build that could not run.
with newest_build as (
    select *
    from (
        select
            *,
            row_number() over (order by finished_at desc) as age
        from {{ source('ops', 'builds') }}
        where command in ('build', 'test')
    ) as builds
    where age = 1
),

failed_tests as (
    select
        failed_rows.test_name,
        max(failed_rows.failures) as failures,
        min(failed_rows.message) as message,
        min(failed_rows.severity) as severity,
        max(failed_rows.failed_at) as failed_at
    from {{ source('ops', 'failed_rows') }} as failed_rows
    inner join newest_build on failed_rows.invocation_id = newest_build.invocation_id
    group by failed_rows.test_name
),

without_rows as (
    select newest_build.tests_failed - count(failed_tests.test_name) as test_count
    from newest_build
    left join failed_tests
        on failed_tests.severity = 'fail' and newest_build.started_at <= failed_tests.failed_at
    group by newest_build.tests_failed
)

select
    test_name as entity,
    failures as value,
    replace(message, concat(' (', test_name, ')'), '') as message,
    case when severity = 'warn' then 'warn' else 'error' end as severity
from failed_tests

union all

select
    'tests without rows' as entity,
    test_count as value,
    concat(test_count, ' unit tests, or tests that could not run, failed') as message,
    'error' as severity
from without_rows
where test_count > 0

union all

select
    'models' as entity,
    models_failed as value,
    concat(models_failed, ' models could not be built; their tables are as they were') as message,
    'error' as severity
from newest_build
where models_failed > 0
