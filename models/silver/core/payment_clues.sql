{%- set keys = var('order_reference_keys') %}

with payments as (

    select
        coalesce(payment_intent_id, charge_id) as payment_id,
        metadata,
        description
    from {{ ref('stg_stripe__charges') }}
    union all
    select
        payment_intent_id as payment_id,
        metadata,
        description
    from {{ ref('stg_stripe__payment_intents') }}
    union all
    select
        payment_intent_id as payment_id,
        metadata,
        cast(null as string) as description
    from {{ ref('stg_stripe__checkout_sessions') }}

),

notes as (

    select
        payment_id,
        explode(from_json(metadata, 'map<string, string>')) as (note, value)
    from payments

)

select
    'stripe' as channel,
    payment_id,
    1 as priority,
    'metadata' as rule,
    'order' as kind,
    regexp_replace(trim(value), '^gid://shopify/Order/', '') as reference,
    concat(note, ' = ', value) as evidence
from notes
where note in ('{{ keys | join("', '") }}')
union all
select
    'stripe' as channel,
    payment_id,
    2 as priority,
    'payment_id' as rule,
    'payment' as kind,
    trim(value) as reference,
    concat(note, ' = ', value) as evidence
from notes
union all
select
    'stripe' as channel,
    payment_id,
    2 as priority,
    'payment_id' as rule,
    'payment' as kind,
    regexp_extract(description, '(c[0-9]+[.][0-9]+)', 1) as reference,
    concat('description: ', description) as evidence
from payments
where description is not null
union all
select
    'transactions' as channel,
    transaction_id as payment_id,
    1 as priority,
    'order_reference' as rule,
    'order' as kind,
    order_reference as reference,
    concat('order_reference = ', order_reference) as evidence
from {{ ref('stg_transactions__transactions') }}
