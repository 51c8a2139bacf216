{{ config(materialized='incremental', unique_key='product_id') }}

with source as (

    {{ current_versions(ref('storefront_products'), 'product_id') }}

),

renamed as (

    select
        -- ids
        trim(product_id) as product_id,

        -- text
        trim(regexp_replace(product_name, '[\\s\\x{00a0}]+', ' ')) as product_name,
        trim(category) as category,
        trim(sub_category) as sub_category,
        trim(state) as state,

        -- numerics
        case when abs(price) < 1000000000000 then price end as list_price,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
