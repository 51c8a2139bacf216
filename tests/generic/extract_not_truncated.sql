{% test extract_not_truncated(model, key) %}

with extract_times as (

    select distinct _ingested_at from {{ model }}
    order by _ingested_at desc
    limit 2

),

extracts as (

    select
        _ingested_at,
        count(distinct {{ key }}) as keys
    from {{ model }}
    where _ingested_at in (select _ingested_at from extract_times)
    group by _ingested_at

),

compared as (

    select
        *,
        lag(keys) over (order by _ingested_at) as keys_before
    from extracts

)

select *
from compared
where keys * 2 < keys_before

{% endtest %}
