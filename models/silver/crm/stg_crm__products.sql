{{ config(materialized='incremental', unique_key='product_id') }}

with source as (

    {{ current_versions(ref('crm_products'), 'prd_id') }}

),

renamed as (

    select
        -- ids
        source.prd_id as product_id,
        substring(source.prd_key, 7) as product_number,
        replace(substring(source.prd_key, 1, 5), '-', '_') as category_id,

        -- text
        trim(source.prd_nm) as product_name,
        coalesce(product_lines.product_line, 'n/a') as product_line,

        -- numerics
        cast(source.prd_cost as decimal(18, 2)) as cost,

        -- dates: the first day of all stands for none, and the period before it would end in the year 0
        nullif(source.prd_start_dt, date '0001-01-01') as start_date,

        -- versions
        source.is_deleted,
        source._changed_at

    from source
    left join {{ ref('product_lines') }} as product_lines on upper(trim(source.prd_line)) = product_lines.code

)

select * from renamed
