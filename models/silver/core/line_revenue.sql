with lines as (

    select
        'crm' as channel,
        concat_ws('|', order_number, product_number) as source_id,
        order_number as order_id,
        cast(customer_id as string) as customer_id,
        order_date,
        cast(sales_amount as decimal(18, 3)) as amount
    from {{ ref('stg_crm__sales') }}
    union all
    select
        'storefront' as channel,
        cast(row_id as string) as source_id,
        order_id,
        customer_id,
        order_date,
        -- to cents first, as in fct_orders
        cast(cast(price as decimal(18, 2)) as decimal(18, 3)) as amount
    from {{ ref('stg_storefront__orders') }}

),

-- the sources name no currency
channels as (

    select * from {{ ref('channels') }}

)

select
    -- ids
    lines.channel,
    lines.source_id,
    'sale' as event_type,
    lines.order_id,
    cast(null as string) as payment_id,
    lines.channel as identity_source,
    lines.customer_id as identity_id,

    -- times
    cast(lines.order_date as timestamp) as occurred_at,
    lines.order_date as local_date,

    -- money
    channels.currency,
    lines.amount as gross,
    0 as discount,
    0 as returns,
    0 as shipping,
    cast(null as decimal(18, 3)) as tax,
    cast(null as decimal(18, 3)) as tip,
    cast(null as decimal(18, 3)) as gift_card,
    cast(null as decimal(18, 3)) as duty,
    lines.amount as total_charged,
    cast(null as decimal(18, 3)) as fee,
    cast(null as string) as fee_currency

from lines
inner join channels on lines.channel = channels.channel
