{{ config(materialized='incremental', unique_key='customer_id') }}

with source as (

    {{ current_versions(ref('crm_customers'), 'cst_id') }}

),

renamed as (

    select
        -- ids
        cst_id as customer_id,
        trim(cst_key) as customer_number,

        -- text
        trim(cst_firstname) as first_name,
        trim(cst_lastname) as last_name,
        case upper(trim(cst_marital_status))
            when 'S' then 'Single'
            when 'M' then 'Married'
            else 'n/a'
        end as marital_status,
        case upper(trim(cst_gndr))
            when 'F' then 'Female'
            when 'M' then 'Male'
            else 'n/a'
        end as gender,

        -- dates
        cst_create_date as created_date,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
