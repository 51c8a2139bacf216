{{ account_rows('crm', 'cust_info', ['cst_id'], ref('stg_crm__customers')) }}
union all
{{ account_rows('crm', 'prd_info', ['prd_id'], ref('stg_crm__products')) }}
union all
{{ account_rows('crm', 'sales_details', ['sls_ord_num', 'sls_prd_key'], ref('stg_crm__sales'), 'false') }}
union all
{{ account_rows('erp', 'cust_az12', [erp_customer_number('CID')], ref('stg_erp__customers')) }}
union all
{{ account_rows('erp', 'loc_a101', [erp_customer_number('CID')], ref('stg_erp__locations')) }}
union all
{{ account_rows('erp', 'px_cat_g1v2', ['ID'], ref('stg_erp__categories')) }}
