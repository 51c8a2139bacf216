{%- set measures = ['available', 'observed', 'available_before', 'sold_since'] %}

with places as (

    select
        item,
        location_id,
        date_day,
        max(sku) as sku,
        max(sold_lately) as sold_lately,
        {%- for source in ['warehouse', 'shop'] %}
        {%- for measure in measures %}
        max(case when source = '{{ source }}' then {{ measure }} end) as {{ source }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        count_if(observed) as observations
    from {{ ref('stock_days') }}
    group by item, location_id, date_day

),

-- of two levels the known one counts, then the one of the day itself, then the warehouse's
chosen as (

    select
        *,
        case
            when warehouse_observed is null then 'shop'
            when shop_available is null then 'warehouse'
            when warehouse_available is null then 'shop'
            when shop_observed and not warehouse_observed then 'shop'
            else 'warehouse'
        end as source
    from places

),

levels as (

    select
        *,
        {%- for measure in measures %}
        if(source = 'shop', shop_{{ measure }}, warehouse_{{ measure }}) as {{ measure }},
        {%- endfor %}
        coalesce(observations = 2 and warehouse_available != shop_available, false) as sources_differ
    from chosen

),

-- any location sends what is ordered, so the stock and the sales of all count
covers as (

    select
        item,
        date_day,
        {{ divide(
            "sum(case when available < 0 then cast(0 as bigint) else available end) * " ~ var('stock_cover_days'), 'max(sold_lately)'
        ) }} as days_of_cover
    from levels
    group by item, date_day

),

-- sales explain a drop where the fall without them would be none
falls as (

    select
        *,
        {%- for name, fall in [
            ('is_drop', 'available_before - available'),
            ('is_drop_unsold', 'available_before - available - sold_since')
        ] %}
        coalesce(
            available_before > 0
            and {{ fall }} >= {{ var('stock_drop_pieces') }}
            and {{ fall }} >= available_before * {{ var('stock_drop_share') }},
            false
        ) as {{ name }},
        {%- endfor %}
        available_before - available as fall
    from levels

)

select
    -- ids
    falls.item,
    falls.sku,
    falls.location_id,

    -- dates
    falls.date_day,

    -- text
    falls.source,

    -- numerics
    falls.available,
    falls.warehouse_available,
    falls.shop_available,
    falls.fall,
    case when falls.fall is not null then falls.sold_since end as sold_since,
    falls.sold_lately,
    covers.days_of_cover,

    -- flags
    falls.observed,
    falls.available < 0 as is_oversold,
    falls.available <= 0 as is_stock_out,
    falls.is_drop,
    case when falls.is_drop then not falls.is_drop_unsold end as drop_explained,
    falls.sources_differ
from falls
inner join covers on falls.item = covers.item and falls.date_day = covers.date_day
