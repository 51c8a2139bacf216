{{ config(materialized='incremental', unique_key='customer_number') }}

with source as (

    {{ current_versions(ref('erp_customers'), erp_customer_number('CID')) }}

),

renamed as (

    select
        -- ids
        {{ erp_customer_number('CID') }} as customer_number,

        -- text
        case
            when upper(trim(GEN)) in ('F', 'FEMALE') then 'Female'
            when upper(trim(GEN)) in ('M', 'MALE') then 'Male'
            else 'n/a'
        end as gender,

        -- dates: the day of delivery tells what was in the future, so that a rerun tells alike
        case when BDATE <= cast(dbt_valid_from as date) then BDATE end as birth_date,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
