{{ config(materialized='incremental', unique_key='customer_number') }}

with source as (

    {{ current_versions(ref('erp_locations'), erp_customer_number('CID')) }}

),

renamed as (

    select
        -- ids
        {{ erp_customer_number('CID') }} as customer_number,

        -- text
        case
            when upper(trim(CNTRY)) = 'DE' then 'Germany'
            when upper(trim(CNTRY)) in ('US', 'USA') then 'United States'
            else coalesce(nullif(trim(CNTRY), ''), 'n/a')
        end as country,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
