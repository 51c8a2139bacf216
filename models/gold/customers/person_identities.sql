with linked as (

    select
        links.*,
        coalesce(components.person_key, links.record_key) as person_key
    from {{ ref('person_links') }} as links
    left join {{ ref('person_components') }} as components
        on
            coalesce(links.email, '') = coalesce(components.email, '')
            and coalesce(links.phone, '') = coalesce(components.phone, '')

),

-- a user of the clickstream is the customer of the shop with that number
followed as (

    select
        linked.*,
        customers.person_key as person_key_of_customer
    from linked
    left join linked as customers
        on
            linked.source = 'clickstream'
            and customers.source = 'shopify'
            and linked.source_id = customers.source_id

),

ruled as (

    select
        *,
        case
            when person_key_of_customer is not null then 'customer number'
            when records_with_email > 1 and records_with_phone > 1 then 'email and phone'
            when records_with_email > 1 then 'email'
            when records_with_phone > 1 then 'phone'
            else 'alone'
        end as rule
    from followed

)

select
    -- ids
    source,
    source_id,
    coalesce(person_key_of_customer, person_key) as person_key,
    record_key,

    -- text
    rule,
    case rule
        when 'customer number' then source_id
        when 'phone' then phone
        when 'alone' then cast(null as string)
        else email
    end as shared_identifier,
    email,
    phone,

    -- times
    first_seen_at

from ruled
