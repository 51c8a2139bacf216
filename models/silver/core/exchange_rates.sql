{#- The European Central Bank fixes rates on working days; the days after have the one before. -#}

with published as (

    select
        day as rate_date,
        cast(usd as double) as usd_per_euro,
        explode(array(
            named_struct('currency', 'EUR', 'units_per_euro', cast(1 as double)),
            {%- for currency in var('currencies') %}
            named_struct('currency', '{{ currency }}', 'units_per_euro', cast(`{{ currency }}` as double))
            {{- ',' if not loop.last }}
            {%- endfor %}
        )) as rate
    from {{ ref('ecb_rates') }}

),

lasting as (

    select
        rate.currency,
        rate_date,
        usd_per_euro / rate.units_per_euro as usd_per_unit,
        least(
            date_add(lead(rate_date) over (partition by rate.currency order by rate_date), -1),
            date_add(rate_date, {{ var('rate_days') }})
        ) as last_day
    from published
    where rate.units_per_euro > 0

)

select
    currency,
    explode(sequence(rate_date, last_day)) as day,
    rate_date,
    -- engines differ in the last digits of a double
    cast(round(usd_per_unit, 10) as decimal(19, 10)) as usd_per_unit
from lasting
