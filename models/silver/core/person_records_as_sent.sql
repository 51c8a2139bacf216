with first_orders as (

    select
        customer_id,
        min(order_date) as first_order_date
    from {{ ref('stg_storefront__orders') }}
    group by customer_id

)

select
    'crm' as source,
    cast(customer_id as string) as source_id,
    cast(null as string) as email,
    cast(null as string) as phone,
    cast(null as string) as country,
    nullif(lower(concat_ws(' ', first_name, last_name)), '') as person_name,
    false as is_verified,
    cast(created_date as timestamp) as first_seen_at
from {{ ref('stg_crm__customers') }}

union all
select
    'storefront' as source,
    customers.customer_id as source_id,
    customers.email,
    customers.phone,
    cast(null as string) as country,
    lower(customers.customer_name) as person_name,
    false as is_verified,
    cast(first_orders.first_order_date as timestamp) as first_seen_at
from {{ ref('stg_storefront__customers') }} as customers
left join first_orders on customers.customer_id = first_orders.customer_id

union all
select
    'shopify' as source,
    cast(customer_id as string) as source_id,
    email,
    phone,
    country,
    nullif(lower(concat_ws(' ', first_name, last_name)), '') as person_name,
    coalesce(is_email_verified, false) as is_verified,
    created_at as first_seen_at
from {{ ref('stg_shopify__customers') }}

-- an order without a customer is a guest's; a test is nobody's
union all
select
    'shopify_order' as source,
    cast(order_id as string) as source_id,
    if(is_test, cast(null as string), email) as email,
    if(is_test, cast(null as string), phone) as phone,
    coalesce(shipping_country, billing_country) as country,
    cast(null as string) as person_name,
    false as is_verified,
    created_at as first_seen_at
from {{ ref('stg_shopify__orders') }}
where customer_id is null

union all
select
    'stripe' as source,
    customer_id as source_id,
    email,
    phone,
    country,
    lower(customer_name) as person_name,
    false as is_verified,
    created_at as first_seen_at
from {{ ref('stg_stripe__customers') }}

union all
select
    'stripe_charge' as source,
    charges.charge_id as source_id,
    coalesce(charges.billing_email, intents.receipt_email) as email,
    charges.billing_phone as phone,
    charges.billing_country as country,
    lower(charges.billing_name) as person_name,
    false as is_verified,
    charges.created_at as first_seen_at
from {{ ref('stg_stripe__charges') }} as charges
left join {{ ref('stg_stripe__payment_intents') }} as intents
    on charges.payment_intent_id = intents.payment_intent_id
where charges.customer_id is null

union all
select
    'transactions' as source,
    transaction_id as source_id,
    customer_email as email,
    cast(null as string) as phone,
    cast(null as string) as country,
    cast(null as string) as person_name,
    false as is_verified,
    created_at as first_seen_at
from {{ ref('stg_transactions__transactions') }}

union all
select
    'clickstream' as source,
    user_id as source_id,
    cast(null as string) as email,
    cast(null as string) as phone,
    cast(null as string) as country,
    cast(null as string) as person_name,
    false as is_verified,
    min(event_time) as first_seen_at
from {{ ref('stg_clickstream__events') }}
where user_id is not null
group by user_id
