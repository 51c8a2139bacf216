with orders as (

    select
        order_name,
        min(order_id) as order_id,
        min(shop_timezone) as shop_timezone
    from {{ ref('stg_shopify__orders') }}
    group by order_name

),

-- days are those of the shop where it has the order
timed as (

    select
        shipments.*,
        orders.order_id,
        coalesce(orders.shop_timezone, 'UTC') as time_zone,
        coalesce(shipments.delivered_at < shipments.shipped_at, false) as is_clock_wrong,
        case
            when coalesce(shipments.delivered_at >= shipments.shipped_at, true) then shipments.delivered_at
        end as arrived_at
    from {{ ref('matched_shipments') }} as shipments
    left join orders on shipments.order_reference = orders.order_name

),

dated as (

    select
        timed.*,
        levels.working_days,
        cast(from_utc_timestamp(timed.shipped_at, timed.time_zone) as date) as shipped_on,
        cast(from_utc_timestamp(timed.arrived_at, timed.time_zone) as date) as arrived_on,
        cast(from_utc_timestamp(timed.promised_at, timed.time_zone) as date) as given_day,
        cast(from_utc_timestamp(timed.loaded_until, timed.time_zone) as date) as loaded_on
    from timed
    left join {{ ref('carrier_service_levels') }} as levels on timed.carrier_code = levels.carrier

),

{%- set weekday = '((dayofweek(shipped_on) + 5) % 7)' %}

-- working days are Mondays to Fridays; what leaves on a weekend left on Friday
promised as (

    select
        *,
        coalesce(
            given_day,
            date_add(
                shipped_on,
                cast(
                    working_days + least({{ weekday }}, 4) - {{ weekday }}
                    + 2 * ((least({{ weekday }}, 4) + working_days) div 5)
                    as int
                )
            )
        ) as promised_on
    from dated

)

select
    -- ids
    {{ surrogate_key(
        "coalesce(concat('shipment|', cast(shipment_id as string)), concat('parcel|', parcel))"
    ) }} as shipment_key,
    shipment_id,
    parcel as tracking_number,
    order_id,
    order_reference,

    -- text
    carrier,
    status,

    -- times
    shipped_at,
    -- a day that was promised ends at its last second
    coalesce(
        promised_at,
        to_utc_timestamp(cast(date_add(promised_on, 1) as timestamp), time_zone) - interval 1 second
    ) as promised_at,
    arrived_at as delivered_at,

    -- numerics
    {{ divide('(unix_micros(arrived_at) - unix_micros(shipped_at))', 3600000000) }} as lead_time_hours,

    -- flags
    promised_at is not null as is_promise_given,
    arrived_on > promised_on as is_late,
    arrived_at is null and coalesce(status not in ('delivered', 'returned'), true) and loaded_on > promised_on
        as is_overdue,
    is_clock_wrong
from promised
