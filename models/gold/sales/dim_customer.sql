{{ config(materialized='incremental', unique_key='customer_key') }}

with customers as (

    select * from {{ ref('stg_crm__customers') }}
    {% if is_incremental() %}
    -- each input has a time of its own: one may be built later than another that was delivered after it
    where
        _changed_at > {{ newest('_changed_at', this) }}
        or customer_number in (
            select changed.customer_number from {{ ref('stg_erp__customers') }} as changed
            where changed._changed_at > {{ newest('_erp_changed_at', this) }}
        )
        or customer_number in (
            select changed.customer_number from {{ ref('stg_erp__locations') }} as changed
            where changed._changed_at > {{ newest('_location_changed_at', this) }}
        )
    {% endif %}

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
        -- the CRM sends neither e-mail address nor phone number, so that nobody is linked with its customers
        {{ record_key("'crm'", 'customers.customer_id') }} as person_key,

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
        customers.is_deleted,

        -- versions
        customers._changed_at,
        erp_customers._changed_at as _erp_changed_at,
        locations._changed_at as _location_changed_at

    from customers
    left join erp_customers on customers.customer_number = erp_customers.customer_number
    left join locations on customers.customer_number = locations.customer_number

),

unknown as (

    select
        '-1' as customer_key,
        -1 as customer_id,
        'n/a' as customer_number,
        '-1' as person_key,
        'Unknown' as first_name,
        'Unknown' as last_name,
        'n/a' as country,
        'n/a' as marital_status,
        'n/a' as gender,
        cast(null as date) as birth_date,
        cast(null as date) as created_date,
        false as is_deleted,
        cast(null as timestamp) as _changed_at,
        cast(null as timestamp) as _erp_changed_at,
        cast(null as timestamp) as _location_changed_at

)

select * from joined
union all
select * from unknown
{% if is_incremental() %}
-- it never changes
where false
{% endif %}
