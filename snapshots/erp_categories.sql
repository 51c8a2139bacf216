{% snapshot erp_categories %}

{{ config(unique_key='ID') }}

select
    ID,
    CAT,
    SUBCAT,
    MAINTENANCE,
    _ingested_at
from {{ source('erp', 'px_cat_g1v2') }}

{% endsnapshot %}
