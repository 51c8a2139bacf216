-- Records that could not be loaded, by table and reason.
select
    concat(source, '.', table_name) as `table`,
    reason,
    count(*) as records,
    max(_ingested_at) as newest
from {{ source('ops', 'quarantine') }}
group by source, table_name, reason
order by records desc, `table`, reason
limit 100
