-- Each day on which a warehouse counted an item is there, and no other is said to be counted.
with counts as (

    select distinct
        item,
        location_id,
        observed_on as date_day
    from {{ ref('stg_inventory__levels') }}
    where observed_at < _ingested_at + interval 1 day

),

levels as (

    select
        item,
        location_id,
        date_day,
        observed,
        source
    from {{ ref('inventory_levels') }}

)

select
    counts.item,
    counts.location_id,
    counts.date_day,
    'missing' as problem
from counts
left anti join levels
    on
        counts.item = levels.item
        and counts.location_id = levels.location_id
        and counts.date_day = levels.date_day
union all
select
    levels.item,
    levels.location_id,
    levels.date_day,
    'not counted' as problem
from levels
left anti join counts
    on
        levels.item = counts.item
        and levels.location_id = counts.location_id
        and levels.date_day = counts.date_day
where levels.observed and levels.source = 'warehouse'
