{% snapshot erp_locations %}

{{ config(unique_key='CID') }}

select
    CID,
    CNTRY,
    _ingested_at
from {{ source('erp', 'loc_a101') }}

{% endsnapshot %}
