{{ config(materialized='incremental', unique_key='level_id') }}

with source as (

    {%- for format in ['csv', 'json'] %}
    select *, '{{ format }}' as sent_as from {{ source('inventory', format ~ '_exports') }}
    {%- if is_incremental() %}
    where _ingested_at > {{ newest("case when sent_as = '" ~ format ~ "' then _ingested_at end", this) }}
    {%- endif %}
    {{- ' union all' if not loop.last }}
    {%- endfor %}

),

named as (

    select
        *,
        {{ stock_item() }} as item
    from source
    where observed_at is not null and location_id is not null

),

-- all columns decide between copies in one file, so that a rerun decides alike
ranked as (

    select
        *,
        row_number() over (
            partition by item, location_id, observed_at, sent_as
            order by _ingested_at desc, product_title, variant_title, sku, available nulls last
        ) as copy_rank
    from named
    where item is not null

)

select
    -- ids
    {{ surrogate_key(
        "concat_ws('|', item, location_id, cast(observed_at as string), sent_as)"
    ) }} as level_id,
    item,
    nullif(trim(sku), '') as sku,
    location_id,

    -- text
    trim(product_title) as product_title,
    trim(variant_title) as variant_title,
    sent_as,

    -- numerics
    available,
    coalesce(available < 0, false) as is_oversold,

    -- times
    observed_at,
    cast(observed_at as date) as observed_on,

    -- lineage
    _ingested_at
from ranked
where copy_rank = 1
