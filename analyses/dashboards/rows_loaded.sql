-- Rows loaded by day and source.
select
    cast(_ingested_at as date) as `day`,
    source,
    sum(rows_loaded) as `rows`
from {{ source('ops', 'loads') }}
where status = 'loaded'
group by cast(_ingested_at as date), source
