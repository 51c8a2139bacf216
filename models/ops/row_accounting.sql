{%- set counted = counted_rows() %}
{%- set events = counted.get(('events', 'events')) %}

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
-- events have no key: of a file that was sent again, the version with the most copies of an event counts
select
    'events' as source,
    'events' as table_name,
    bronze.bronze_rows,
    silver.silver_rows,
    bronze.bronze_rows - bronze.rejected_rows - bronze.distinct_events as superseded_rows,
    cast(0 as bigint) as removed_rows,
    bronze.rejected_rows
from (
    {% if events -%}
    select
        {{ events.bronze_rows }} as bronze_rows,
        {{ events.rejected_rows }} as rejected_rows,
        {{ events.bronze_rows }} - {{ events.superseded_rows }} - {{ events.rejected_rows }} as distinct_events
    {%- else -%}
    select
        sum(copies) as bronze_rows,
        sum(if(time is null or action is null, copies, 0)) as rejected_rows,
        sum(if(time is null or action is null, 0, most_copies)) as distinct_events
    from (
        select
            _source_file,
            time,
            action,
            sum(copies) as copies,
            max(copies) as most_copies
        from (
            select
                _source_file,
                time,
                action,
                _ingested_at,
                count(*) as copies
            from {{ source('events', 'events') }}
            group by _source_file, time, action, _ingested_at
        ) as copies_by_load
        group by _source_file, time, action
    ) as events
    {%- endif %}
) as bronze
cross join (select count(*) as silver_rows from {{ ref('stg_events__events') }}) as silver
