-- each record of a source that stands for a person is there once, and none besides
with sent as (

    select 'crm' as source, cast(customer_id as string) as source_id from {{ ref('stg_crm__customers') }}
    union all
    select 'storefront', customer_id from {{ ref('stg_storefront__customers') }}
    union all
    select 'shopify', cast(customer_id as string) from {{ ref('stg_shopify__customers') }}
    union all
    select 'shopify_order', cast(order_id as string) from {{ ref('stg_shopify__orders') }}
    where customer_id is null
    union all
    select 'stripe', customer_id from {{ ref('stg_stripe__customers') }}
    union all
    select 'stripe_charge', charge_id from {{ ref('stg_stripe__charges') }}
    where customer_id is null
    union all
    select 'transactions', transaction_id from {{ ref('stg_transactions__transactions') }}
    union all
    select distinct 'clickstream', user_id from {{ ref('stg_clickstream__events') }}
    where user_id is not null

)

select
    sent.source,
    sent.source_id,
    identities.source as source_there,
    identities.source_id as source_id_there
from sent
full outer join {{ ref('person_identities') }} as identities
    on sent.source = identities.source and sent.source_id = identities.source_id
where sent.source is null or identities.source is null
