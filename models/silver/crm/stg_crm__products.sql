{{ config(materialized='incremental', unique_key='product_id') }}

with source as (

    {{ current_versions(ref('crm_products'), 'prd_id') }}

),

renamed as (

    select
        -- ids
        prd_id as product_id,
        substring(prd_key, 7) as product_number,
        replace(substring(prd_key, 1, 5), '-', '_') as category_id,

        -- text
        trim(prd_nm) as product_name,
        case upper(trim(prd_line))
            when 'M' then 'Mountain'
            when 'R' then 'Road'
            when 'S' then 'Other Sales'
            when 'T' then 'Touring'
            else 'n/a'
        end as product_line,

        -- numerics
        cast(prd_cost as decimal(18, 2)) as cost,

        -- dates: the first day of all stands for none, and the period before it would end in the year 0
        nullif(prd_start_dt, date '0001-01-01') as start_date,

        -- versions
        is_deleted,
        _changed_at

    from source

)

select * from renamed
