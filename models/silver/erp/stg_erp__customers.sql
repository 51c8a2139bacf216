{{ config(materialized='incremental', unique_key='customer_number') }}

with source as (

    {{ current_versions(ref('erp_customers'), erp_customer_number('CID')) }}

),

renamed as (

    select
        -- ids
        {{ erp_customer_number('source.CID') }} as customer_number,

        -- text
        coalesce(genders.gender, 'n/a') as gender,

        -- dates: the day of delivery tells what was in the future, so that a rerun tells alike
        case when source.BDATE <= cast(source.dbt_valid_from as date) then source.BDATE end as birth_date,

        -- versions
        source.is_deleted,
        source._changed_at

    from source
    left join {{ ref('genders') }} as genders on upper(trim(source.GEN)) = genders.code

)

select * from renamed
