{% snapshot erp_customers %}

{{ config(unique_key='CID') }}

select
    CID,
    BDATE,
    GEN,
    _ingested_at
from {{ source('erp', 'cust_az12') }}

{% endsnapshot %}
