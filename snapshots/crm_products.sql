{% snapshot crm_products %}

{{ config(unique_key='prd_id') }}

select
    prd_id,
    prd_key,
    prd_nm,
    prd_cost,
    prd_line,
    prd_start_dt,
    prd_end_dt,
    _ingested_at
from {{ source('crm', 'prd_info') }}

{% endsnapshot %}
