with records as (

    select * from {{ ref('person_records') }}

),

identifiers as (

    select
        'email' as kind,
        email as identifier,
        phone as other_identifier,
        cast(null as string) as verified_email,
        cast(null as string) as verified_name
    from records
    where email is not null

    union all
    select
        'phone',
        phone,
        email,
        case when is_verified then email end,
        case when is_verified then person_name end
    from records
    where phone is not null

),

counted as (

    select
        kind,
        identifier,
        count(*) as records,
        count(distinct other_identifier) as others,
        count(distinct verified_email) as verified_emails,
        count(distinct verified_name) as verified_names
    from identifiers
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
        when counted.kind = 'phone' and replace(right(counted.identifier, 7), right(counted.identifier, 1), '') = ''
            then 'blocked'
        when counted.others > {{ var('identifier_shared_by_most') }} then 'shared'
        when counted.verified_emails > 1 and counted.verified_names > 1 then 'several people'
    end as guard
from counted
left join blocked as whole on counted.identifier = whole.value
left join blocked as mailbox on concat(split_part(counted.identifier, '@', 1), '@') = mailbox.value
left join blocked as mail_domain on concat('@', split_part(counted.identifier, '@', 2)) = mail_domain.value
