{{ config(materialized='incremental', unique_key='category_id') }}

with source as (

    {{ current_versions(ref('erp_categories'), 'ID') }}

),

renamed as (

    select
        -- ids
        ID as category_id,

        -- text
        trim(CAT) as category,
        trim(SUBCAT) as subcategory,

        -- booleans
        case upper(trim(MAINTENANCE))
            when 'YES' then true
            when 'NO' then false
        end as maintenance_required,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
