with records as (

    select * from {{ ref('person_records') }}

),

-- one row per identifier and other identifier, so that others need only be counted
pairs as (

    select
        'email' as kind,
        email as identifier,
        phone as other_identifier,
        count(*) as records,
        cast(null as string) as verified_email,
        cast(null as string) as min_name,
        cast(null as string) as max_name
    from records
    where email is not null
    group by email, phone

    union all
    select
        'phone' as kind,
        phone as identifier,
        email as other_identifier,
        count(*) as records,
        max(case when is_verified then email end) as verified_email,
        min(case when is_verified then person_name end) as min_name,
        max(case when is_verified then person_name end) as max_name
    from records
    where phone is not null
    group by phone, email

),

counted as (

    select
        kind,
        identifier,
        sum(records) as records,
        count(other_identifier) as others,
        count(verified_email) > 1 and min(min_name) != max(max_name) as is_of_several
    from pairs
    group by kind, identifier

),

blocked as (

    select * from {{ ref('blocked_identifiers') }}

)

select
    counted.kind,
    counted.identifier,
    counted.records,
    counted.others,
    case
        when coalesce(whole.value, mailbox.value, mail_domain.value) is not null then 'blocked'
        -- a number of one digit
        when
            counted.kind = 'phone'
            and replace(right(counted.identifier, 7), right(counted.identifier, 1), '') = ''
            then 'blocked'
        when counted.others > {{ var('identifier_shared_by_most') }} then 'shared'
        when counted.is_of_several then 'several people'
    end as guard
from counted
left join blocked as whole on counted.identifier = whole.value
left join blocked as mailbox on concat(split_part(counted.identifier, '@', 1), '@') = mailbox.value
left join blocked as mail_domain on concat('@', split_part(counted.identifier, '@', 2)) = mail_domain.value
