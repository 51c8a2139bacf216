{#- Declared rules alone, best first. A payment that names two orders is no match. -#}

with orders as (

    select
        cast(order_id as string) as order_id,
        order_name
    from {{ ref('stg_shopify__orders') }}
    where not coalesce(is_test, false)

),

-- what may be said of an order; a name that two orders have says nothing
names as (

    select
        'order' as kind,
        order_id as reference,
        order_id
    from orders
    union all
    select
        'order' as kind,
        order_name as reference,
        min(order_id) as order_id
    from orders
    group by order_name
    having count(*) = 1
    union all
    select
        'payment' as kind,
        payment_id as reference,
        cast(order_id as string) as order_id
    from {{ ref('stg_shopify__transactions') }}
    where status = 'success' and not coalesce(is_test, false)

),

matches as (

    select
        clues.*,
        names.order_id,
        min(clues.priority) over (partition by clues.channel, clues.payment_id) as best_priority
    from {{ ref('payment_clues') }} as clues
    inner join names on clues.kind = names.kind and clues.reference = names.reference
    where clues.payment_id is not null

)

select
    channel,
    payment_id,
    min(order_id) as order_id,
    min(rule) as rule,
    min(evidence) as evidence
from matches
where priority = best_priority
group by channel, payment_id
having count(distinct matches.order_id) = 1
