-- Rows that each source brought, by day on which anything was loaded.
with loads as (
    select
        source,
        cast(_ingested_at as date) as date_day,
        sum(rows_loaded) as row_count
    from {{ source('ops', 'loads') }}
    where status = 'loaded'
    group by source, cast(_ingested_at as date)
),

days as (
    select distinct date_day
    from loads
),

sources as (
    select
        source,
        min(date_day) as first_day
    from loads
    group by source
)

select
    sources.source as entity,
    days.date_day,
    coalesce(loads.row_count, 0) as value,
    coalesce(loads.row_count, 0) as size
from sources
inner join days on sources.first_day <= days.date_day
left join loads on sources.source = loads.source and days.date_day = loads.date_day
