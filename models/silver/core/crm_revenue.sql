with sales as (

    select * from {{ ref('stg_crm__sales') }}

),

-- the source names no currency
channels as (

    select * from {{ ref('channels') }}

)

select
    -- ids
    'crm' as channel,
    concat_ws('|', sales.order_number, sales.product_number) as source_id,
    'sale' as event_type,
    sales.order_number as order_id,
    cast(null as string) as payment_id,
    'crm' as identity_source,
    cast(sales.customer_id as string) as identity_id,

    -- times
    cast(sales.order_date as timestamp) as occurred_at,
    sales.order_date as local_date,

    -- money
    channels.currency,
    sales.sales_amount as gross,
    0 as discount,
    0 as returns,
    0 as shipping,
    cast(null as decimal(18, 3)) as tax,
    cast(null as decimal(18, 3)) as tip,
    cast(null as decimal(18, 3)) as gift_card,
    cast(null as decimal(18, 3)) as duty,
    sales.sales_amount as total_charged,
    cast(null as decimal(18, 3)) as fee,
    cast(null as string) as fee_currency

from sales
inner join channels on channels.channel = 'crm'
