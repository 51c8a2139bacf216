{% snapshot storefront_products %}

{{ config(unique_key='product_id') }}

-- of several products with one id, the first in the order of these columns counts
select
    product_id,
    product_name,
    category,
    sub_category,
    state,
    price,
    _ingested_at
from {{ source('storefront', 'products') }}

{% endsnapshot %}
