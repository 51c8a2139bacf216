select
    -- ids
    records.source,
    records.source_id,
    records.record_key,

    -- identifiers that link
    case when emails.guard is null then records.email end as email,
    case when phones.guard is null then records.phone end as phone,
    case when emails.guard is null then emails.records end as records_with_email,
    case when phones.guard is null then phones.records end as records_with_phone,

    -- times
    records.first_seen_at

from {{ ref('person_records') }} as records
left join {{ ref('person_identifiers') }} as emails
    on emails.kind = 'email' and records.email = emails.identifier
left join {{ ref('person_identifiers') }} as phones
    on phones.kind = 'phone' and records.phone = phones.identifier
