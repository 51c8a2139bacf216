with first_orders as (

    select customer_id, min(order_date) as first_order_date
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
    'storefront',
    customers.customer_id,
    customers.email,
    customers.phone,
    cast(null as string),
    lower(customers.customer_name),
    false,
    cast(first_orders.first_order_date as timestamp)
from {{ ref('stg_storefront__customers') }} as customers
left join first_orders on customers.customer_id = first_orders.customer_id

union all
select
    'shopify',
    cast(customer_id as string),
    email,
    phone,
    country,
    nullif(lower(concat_ws(' ', first_name, last_name)), ''),
    coalesce(is_email_verified, false),
    created_at
from {{ ref('stg_shopify__customers') }}

-- an order without a customer is a guest's; a test is nobody's
union all
select
    'shopify_order',
    cast(order_id as string),
    if(is_test, cast(null as string), email),
    if(is_test, cast(null as string), phone),
    coalesce(shipping_country, billing_country),
    cast(null as string),
    false,
    created_at
from {{ ref('stg_shopify__orders') }}
where customer_id is null

union all
select
    'stripe',
    customer_id,
    email,
    phone,
    country,
    lower(customer_name),
    false,
    created_at
from {{ ref('stg_stripe__customers') }}

union all
select
    'stripe_charge',
    charge_id,
    billing_email,
    billing_phone,
    billing_country,
    lower(billing_name),
    false,
    created_at
from {{ ref('stg_stripe__charges') }}
where customer_id is null

union all
select
    'transactions',
    transaction_id,
    customer_email,
    cast(null as string),
    cast(null as string),
    cast(null as string),
    false,
    created_at
from {{ ref('stg_transactions__transactions') }}

union all
select
    'clickstream',
    user_id,
    cast(null as string),
    cast(null as string),
    cast(null as string),
    cast(null as string),
    false,
    min(event_time)
from {{ ref('stg_clickstream__events') }}
where user_id is not null
group by user_id
