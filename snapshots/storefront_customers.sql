{% snapshot storefront_customers %}

{{ config(unique_key='customer_id') }}

select
    customer_id,
    customer_name,
    email,
    phone,
    address,
    segment,
    country,
    city,
    state,
    postal_code,
    region,
    _ingested_at
from {{ source('storefront', 'customers') }}

{% endsnapshot %}
