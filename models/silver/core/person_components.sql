-- a label is a record and when it was first seen: the earliest of a component names it, however it grows
with round_0 as (

    select
        email,
        phone,
        min(concat_ws(
            '|',
            date_format(coalesce(first_seen_at, timestamp '9999-12-31 00:00:00'), 'yyyyMMddHHmmss'),
            record_key
        )) as label
    from {{ ref('person_links') }}
    where email is not null or phone is not null
    group by email, phone

),

-- in each round a label goes on to all with the same address, and then to all with the same number
{% for round in range(1, var('identity_rounds') + 1) %}
by_email_{{ round }} as (

    select
        email,
        phone,
        min(label) over (partition by coalesce(email, phone)) as label
    from round_{{ round - 1 }}

),

round_{{ round }} as (

    select
        email,
        phone,
        min(label) over (partition by coalesce(phone, email)) as label
    from by_email_{{ round }}

){{ ',' if not loop.last }}
{% endfor %}

select
    email,
    phone,
    split_part(label, '|', 2) as person_key
from round_{{ var('identity_rounds') }}
