with customers as (

    select * from {{ ref('stg_crm__customers') }}

),

erp_customers as (

    select * from {{ ref('stg_erp__customers') }}

),

locations as (

    select * from {{ ref('stg_erp__locations') }}

),

joined as (

    select
        -- ids
        {{ surrogate_key('customers.customer_id') }} as customer_key,
        customers.customer_id,
        customers.customer_number,

        -- text
        customers.first_name,
        customers.last_name,
        coalesce(locations.country, 'n/a') as country,
        customers.marital_status,
        case
            when customers.gender != 'n/a' then customers.gender
            else coalesce(erp_customers.gender, 'n/a')
        end as gender,

        -- dates
        erp_customers.birth_date,
        customers.created_date,

        -- booleans
        customers.is_deleted

    from customers
    left join erp_customers on customers.customer_number = erp_customers.customer_number
    left join locations on customers.customer_number = locations.customer_number

),

unknown as (

    select
        '-1' as customer_key,
        -1 as customer_id,
        'n/a' as customer_number,
        'Unknown' as first_name,
        'Unknown' as last_name,
        'n/a' as country,
        'n/a' as marital_status,
        'n/a' as gender,
        cast(null as date) as birth_date,
        cast(null as date) as created_date,
        false as is_deleted

)

select * from joined
union all
select * from unknown
