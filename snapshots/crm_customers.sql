{% snapshot crm_customers %}

{{ config(unique_key='cst_id', newest_by='cst_create_date') }}

select
    cst_id,
    cst_key,
    cst_firstname,
    cst_lastname,
    cst_marital_status,
    cst_gndr,
    cst_create_date,
    _ingested_at
from {{ source('crm', 'cust_info') }}

{% endsnapshot %}
