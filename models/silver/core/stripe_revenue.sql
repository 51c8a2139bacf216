with charged as (

    select * from {{ ref('stripe_movements') }}

),

sessions as (

    select
        payment_intent_id,
        max(amount_total) as amount_total,
        max(tax_amount) as tax_amount,
        max(shipping_amount) as shipping_amount,
        max(discount_amount) as discount_amount
    from {{ ref('stg_stripe__checkout_sessions') }}
    where payment_intent_id is not null
    group by payment_intent_id

),

with_sessions as (

    select
        charged.*,
        charged.reporting_category = 'charge' as is_payment,
        cast(charged.total as double) / nullif(cast(sessions.amount_total as double), 0) as share,
        cast(sessions.tax_amount as double) as session_tax,
        cast(sessions.shipping_amount as double) as session_shipping,
        cast(sessions.discount_amount as double) as session_discount
    from charged
    left join sessions on charged.payment_id = sessions.payment_intent_id

),

-- captures and refunds have their share of what the checkout tells of the whole payment
shared as (

    select
        *,
        cast(session_tax * share as decimal(18, 3)) as tax,
        coalesce(cast(session_shipping * share as decimal(18, 3)), 0) as shipping,
        coalesce(
            cast(case when is_payment then session_discount * share end as decimal(18, 3)), 0
        ) as discount
    from with_sessions

),

split as (

    select
        *,
        total - coalesce(tax, 0) - shipping as goods
    from shared

)

select
    -- ids
    'stripe' as channel,
    balance_transaction_id as source_id,
    if(is_payment, 'payment', reporting_category) as event_type,
    cast(null as string) as order_id,
    payment_id,
    if(customer_id is null, 'stripe_charge', 'stripe') as identity_source,
    coalesce(customer_id, charge_id) as identity_id,

    -- times
    created_at as occurred_at,
    cast(created_at as date) as local_date,

    -- money
    charged_currency as currency,
    coalesce(case when is_payment then goods + discount end, 0) as gross,
    discount,
    coalesce(case when not is_payment then -goods end, 0) as returns,
    shipping,
    tax,
    cast(null as decimal(18, 3)) as tip,
    cast(null as decimal(18, 3)) as gift_card,
    cast(null as decimal(18, 3)) as duty,
    total as total_charged,
    fee,
    currency as fee_currency

from split
