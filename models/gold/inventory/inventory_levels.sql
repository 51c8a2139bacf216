-- sales explain a drop where the fall without them would be none
with fallen as (

    select
        *,
        available_before - available as fall,
        {%- for name, fall in [
            ('is_drop', 'available_before - available'),
            ('is_drop_unsold', 'available_before - available - sold_since')
        ] %}
        coalesce(
            available_before > 0
            and {{ fall }} >= {{ var('stock_drop_pieces') }}
            and {{ fall }} >= available_before * {{ var('stock_drop_share') }},
            false
        ) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stock_days') }}

),

-- of two levels the known one counts, then the one of the day itself, then the warehouse's
ranked as (

    select
        *,
        max(case when source = 'warehouse' then available end) over by_place as warehouse_available,
        max(case when source = 'shop' then available end) over by_place as shop_available,
        count_if(observed) over by_place as observations,
        row_number() over (
            partition by item, location_id, date_day
            order by available is null, not observed, source desc
        ) as place
    from fallen
    window by_place as (partition by item, location_id, date_day)

)

select
    -- ids
    item,
    sku,
    location_id,

    -- dates
    date_day,

    -- text
    source,

    -- numerics
    available,
    warehouse_available,
    shop_available,
    fall,
    case when fall is not null then sold_since end as sold_since,
    sold_lately,
    -- any location sends what is ordered, so the stock and the sales of all count
    {{ divide(
        "sum(if(available < 0, 0, available)) over (partition by item, date_day) * " ~ var('stock_cover_days'), 'sold_lately'
    ) }} as days_of_cover,

    -- flags
    observed,
    available < 0 as is_oversold,
    available <= 0 as is_stock_out,
    is_drop,
    case when is_drop then not is_drop_unsold end as drop_explained,
    coalesce(observations = 2 and warehouse_available != shop_available, false) as sources_differ
from ranked
where place = 1
