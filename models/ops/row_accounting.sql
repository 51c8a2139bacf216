{%- set counted = counted_rows() %}
{%- set counted_events = counted.get(('events', 'events'), {}) %}

-- events have no key: of a file that was sent again, the version with the most copies of an event counts
with event_loads as (

    select
        _source_file,
        time,
        action,
        _ingested_at,
        count(*) as copies
    from {{ source('events', 'events') }}
    {% if counted_events %}
    where false
    {% endif %}
    group by _source_file, time, action, _ingested_at

),

event_files as (

    select
        _source_file,
        time,
        action,
        sum(copies) as copies,
        max(copies) as most_copies
    from event_loads
    group by _source_file, time, action

),

event_counts as (

    select
        sum(copies) as bronze_rows,
        sum(if(time is null or action is null, 0, copies - most_copies)) as superseded_rows,
        sum(if(time is null or action is null, copies, 0)) as rejected_rows
    from event_files

),

events as (

    select count(*) as silver_rows from {{ ref('stg_events__events') }}

)

{{ account_rows(counted, 'crm', 'cust_info', ['cst_id'], ref('stg_crm__customers')) }}
union all
{{ account_rows(counted, 'crm', 'prd_info', ['prd_id'], ref('stg_crm__products')) }}
union all
{{ account_rows(
    counted, 'crm', 'sales_details', ['sls_ord_num', 'sls_prd_key'], ref('stg_crm__sales'), 'false'
) }}
union all
{{ account_rows(counted, 'erp', 'cust_az12', [erp_customer_number('CID')], ref('stg_erp__customers')) }}
union all
{{ account_rows(counted, 'erp', 'loc_a101', [erp_customer_number('CID')], ref('stg_erp__locations')) }}
union all
{{ account_rows(counted, 'erp', 'px_cat_g1v2', ['ID'], ref('stg_erp__categories')) }}
union all
{{ account_rows(counted, 'storefront', 'customers', ['customer_id'], ref('stg_storefront__customers')) }}
union all
{{ account_rows(counted, 'storefront', 'products', ['product_id'], ref('stg_storefront__products')) }}
union all
{{ account_rows(counted, 'storefront', 'orders', ['row_id'], ref('stg_storefront__orders'), 'false') }}
union all
select
    'events' as source,
    'events' as table_name,
    {{ counted_events.get('bronze_rows', 'event_counts.bronze_rows') }} as bronze_rows,
    events.silver_rows,
    {{ counted_events.get('superseded_rows', 'event_counts.superseded_rows') }} as superseded_rows,
    cast(0 as bigint) as removed_rows,
    {{ counted_events.get('rejected_rows', 'event_counts.rejected_rows') }} as rejected_rows
from events
cross join event_counts
