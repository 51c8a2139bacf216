-- each record of a source that stands for a person is there once, and none besides
{%- set records = {
    'crm': ('stg_crm__customers', 'customer_id', 'true'),
    'storefront': ('stg_storefront__customers', 'customer_id', 'true'),
    'shopify': ('stg_shopify__customers', 'customer_id', 'true'),
    'shopify_order': ('stg_shopify__orders', 'order_id', 'customer_id is null'),
    'stripe': ('stg_stripe__customers', 'customer_id', 'true'),
    'stripe_charge': ('stg_stripe__charges', 'charge_id', 'customer_id is null'),
    'transactions': ('stg_transactions__transactions', 'transaction_id', 'true'),
    'clickstream': ('stg_clickstream__events', 'user_id', 'user_id is not null'),
} %}

with sent as (
    {% for source, (model, id, condition) in records.items() %}
    select distinct
        '{{ source }}' as source,
        cast({{ id }} as string) as source_id
    from {{ ref(model) }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
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
