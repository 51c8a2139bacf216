-- Tables of APIs and databases whose newest extraction stopped with an error.
with extracts as (
    select
        *,
        row_number() over (partition by source, table_name order by started_at desc) as age
    from {{ source('ops', 'extracts') }}
)

select
    concat(source, '.', table_name) as entity,
    retries as value,
    concat(
        'stopped after ', pages, ' pages, ', records, ' records, ', retries, ' retries: ', error
    ) as message
from extracts
where age = 1 and error is not null
