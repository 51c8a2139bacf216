{{ config(materialized='incremental', unique_key='customer_number') }}

with source as (

    {{ current_versions(ref('erp_locations'), erp_customer_number('CID')) }}

),

renamed as (

    select
        -- ids
        {{ erp_customer_number('source.CID') }} as customer_number,

        -- text
        coalesce(countries.country, nullif(trim(source.CNTRY), ''), 'n/a') as country,

        -- versions
        source.is_deleted,
        source._changed_at

    from source
    left join {{ ref('countries') }} as countries on upper(trim(source.CNTRY)) = countries.code

)

select * from renamed
