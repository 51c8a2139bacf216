-- When each source was loaded last, and what of it.
select
    source,
    count(distinct table_name) as tables,
    max(_ingested_at) as loaded_at,
    sum(rows_loaded) as `rows`
from {{ source('ops', 'loads') }}
where status = 'loaded'
group by source
order by loaded_at
