-- Each shipment of the shipping department and each parcel of a carrier is there once.
with told as (

    select concat('shipment ', cast(shipment_id as string)) as told
    from {{ ref('stg_shipping__shipments') }}
    union all
    select distinct concat('parcel ', tracking_number) as told
    from {{ ref('stg_carrier__events') }}

),

held as (

    select concat('shipment ', cast(shipment_id as string)) as told
    from {{ ref('fct_shipments') }}
    where shipment_id is not null
    union all
    select concat('parcel ', tracking_number) as told
    from {{ ref('fct_shipments') }}
    where tracking_number is not null

),

counted as (

    select
        told.told,
        count(held.told) as times
    from told
    left join held on told.told = held.told
    group by told.told

)

select *
from counted
where times != 1
