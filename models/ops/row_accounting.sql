{#- Events have no key: of a file that was sent again, the load with the most copies of an event counts. -#}
{%- set distinct_events -%}
(
    select coalesce(sum(most_copies), 0) from (
        select max(copies) as most_copies from (
            select _source_file, time, action, _ingested_at, count(*) as copies
            from {{ source('events', 'events') }}
            where time is not null and action is not null
            group by _source_file, time, action, _ingested_at
        ) as copies_by_load
        group by _source_file, time, action
    ) as events
)
{%- endset -%}

{{ account_rows('crm', 'cust_info', ['cst_id'], [ref('stg_crm__customers')]) }}
union all
{{ account_rows('crm', 'prd_info', ['prd_id'], [ref('stg_crm__products')]) }}
union all
{{ account_rows(
    'crm', 'sales_details', ['sls_ord_num', 'sls_prd_key'], [ref('stg_crm__sales')], 'false'
) }}
union all
{{ account_rows('erp', 'cust_az12', [erp_customer_number('CID')], [ref('stg_erp__customers')]) }}
union all
{{ account_rows('erp', 'loc_a101', [erp_customer_number('CID')], [ref('stg_erp__locations')]) }}
union all
{{ account_rows('erp', 'px_cat_g1v2', ['ID'], [ref('stg_erp__categories')]) }}
union all
{{ account_rows('storefront', 'customers', ['customer_id'], [ref('stg_storefront__customers')]) }}
union all
{{ account_rows('storefront', 'products', ['product_id'], [ref('stg_storefront__products')]) }}
union all
{{ account_rows('storefront', 'orders', ['row_id'], [ref('stg_storefront__orders')], 'false') }}
union all
{{ account_rows(
    'events', 'events', ['time', 'action'], [ref('stg_events__events')], 'false', distinct_events
) }}
union all
{{ account_rows(
    'gym', 'registered_users', ['user_id', 'device_id'], [source('gym', 'users')], 'false',
    is_rejected=gym_rejected_registration()
) }}
union all
{{ account_rows(
    'gym', 'gym_logins', ['mac_address', 'gym', 'login'], [source('gym', 'gym_visits')], 'false',
    is_rejected=gym_rejected(['mac_address', 'gym', 'login'], 'login')
) }}
union all
{{ account_rows(
    'gym', 'kafka_multiplex', ['topic', 'message_key'],
    [source('gym', 'heart_rate'), source('gym', 'workouts'), source('gym', 'user_profile_history')], 'false',
    bronze=gym_messages(), is_rejected='is_unusable'
) }}
