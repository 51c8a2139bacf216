with sales as (

    select * from {{ ref('stg_storefront__orders') }}

),

-- the source names no currency
channels as (

    select * from {{ ref('channels') }}

)

select
    -- ids
    'storefront' as channel,
    cast(sales.row_id as string) as source_id,
    'sale' as event_type,
    sales.order_id,
    cast(null as string) as payment_id,
    'storefront' as identity_source,
    cast(sales.customer_id as string) as identity_id,

    -- times
    cast(sales.order_date as timestamp) as occurred_at,
    sales.order_date as local_date,

    -- money
    channels.currency,
    cast(sales.price as decimal(18, 2)) as gross,
    0 as discount,
    0 as returns,
    0 as shipping,
    cast(null as decimal(18, 3)) as tax,
    cast(null as decimal(18, 3)) as tip,
    cast(null as decimal(18, 3)) as gift_card,
    cast(null as decimal(18, 3)) as duty,
    cast(sales.price as decimal(18, 2)) as total_charged,
    cast(null as decimal(18, 3)) as fee,
    cast(null as string) as fee_currency

from sales
inner join channels on channels.channel = 'storefront'
