with matches as (

    select * from {{ ref('bridge_order_payment') }}
    where channel = 'stripe'

),

payments as (

    select
        charges.*,
        coalesce(charges.payment_intent_id, charges.charge_id) as payment_id
    from {{ ref('stg_stripe__charges') }} as charges
    left join matches on coalesce(charges.payment_intent_id, charges.charge_id) = matches.payment_id
    where charges.is_captured and charges.is_live and matches.payment_id is null

),

-- orders that Stripe was paid for, though no payment names them
orders as (

    select
        cast(shop_payments.order_id as string) as order_id,
        shop_payments.presentment_currency,
        shop_payments.presentment_amount,
        shop_payments.processed_at
    from {{ ref('stg_shopify__transactions') }} as shop_payments
    left join matches on cast(shop_payments.order_id as string) = matches.order_id
    where
        shop_payments.gateway like 'stripe%'
        and shop_payments.kind in ('sale', 'capture')
        and shop_payments.status = 'success'
        and not coalesce(shop_payments.is_test, false)
        and matches.order_id is null

),

alike as (

    select
        payments.payment_id,
        orders.order_id,
        payments.currency,
        cast(payments.amount_captured as decimal(18, 3)) as amount,
        payments.created_at as occurred_at,
        row_number() over (
            partition by payments.payment_id
            order by
                abs(unix_timestamp(payments.created_at) - unix_timestamp(orders.processed_at)),
                orders.order_id
        ) as nearness
    from payments
    inner join orders
        on
            payments.currency = orders.presentment_currency
            and payments.amount_captured = orders.presentment_amount
            and abs(unix_timestamp(payments.created_at) - unix_timestamp(orders.processed_at)) <= 3600

),

rates as (

    select * from {{ ref('exchange_rates') }}

)

select
    -- ids
    alike.payment_id,
    alike.order_id,

    -- times
    alike.occurred_at,

    -- money
    alike.currency,
    alike.amount,
    case
        when alike.currency = 'USD' then cast(alike.amount as decimal(18, 2))
        else cast(alike.amount * rates.usd_per_unit as decimal(18, 2))
    end as amount_usd

from alike
left join rates on alike.currency = rates.currency and cast(alike.occurred_at as date) = rates.day
where alike.nearness = 1
