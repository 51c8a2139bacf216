{{ config(materialized='incremental', unique_key='customer_id') }}

with source as (

    {{ current_versions(ref('storefront_customers'), 'customer_id') }}

),

-- digits of a phone number without its extension; none where a spreadsheet computed with it
split_phones as (

    select
        *,
        case
            when phone not like '-%' then regexp_replace(regexp_replace(phone, 'x.*$', ''), '[^0-9]', '')
        end as phone_digits
    from source

),

checked_phones as (

    select
        *,
        regexp_like(phone_digits, '^(001|1)?[0-9]{10}$') as has_phone
    from split_phones

),

renamed as (

    select
        -- ids
        trim(customer_id) as customer_id,

        -- text
        {{ clean_person_name('customer_name') }} as customer_name,
        nullif(trim(email), '') as email,
        case when has_phone then concat('+1', regexp_extract(phone_digits, '[0-9]{10}$', 0)) end as phone,
        case when has_phone then nullif(regexp_extract(phone, 'x([0-9]+)$', 1), '') end as phone_extension,
        regexp_replace(trim(address), '\\s*[\\r\\n]+\\s*', ', ') as address,
        trim(segment) as segment,
        trim(country) as country,
        trim(city) as city,
        trim(state) as state,
        case
            when country = 'United States' and regexp_like(postal_code, '^[0-9]{3,4}$')
                then lpad(postal_code, 5, '0')
            else trim(postal_code)
        end as postal_code,
        trim(region) as region,

        -- versions
        is_deleted,
        _changed_at

    from checked_phones

)

select * from renamed
