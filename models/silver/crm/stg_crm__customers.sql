{{ config(materialized='incremental', unique_key='customer_id') }}

with source as (

    {{ current_versions(ref('crm_customers'), 'cst_id') }}

),

renamed as (

    select
        -- ids
        source.cst_id as customer_id,
        trim(source.cst_key) as customer_number,

        -- text
        trim(source.cst_firstname) as first_name,
        trim(source.cst_lastname) as last_name,
        coalesce(marital_statuses.marital_status, 'n/a') as marital_status,
        coalesce(genders.gender, 'n/a') as gender,

        -- dates
        source.cst_create_date as created_date,

        -- versions
        source.is_deleted,
        source._changed_at

    from source
    left join {{ ref('marital_statuses') }} as marital_statuses
        on upper(trim(source.cst_marital_status)) = marital_statuses.code
    left join {{ ref('genders') }} as genders on upper(trim(source.cst_gndr)) = genders.code

)

select * from renamed
