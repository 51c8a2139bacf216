-- each record is of one person, and each person is named by one of its records
with named as (

    select
        person_key,
        count(*) as records,
        max(case when record_key = person_key then 1 else 0 end) as has_name
    from {{ ref('person_identities') }}
    group by person_key

)

select
    people.person_key,
    people.number_of_identities,
    named.records,
    named.has_name
from {{ ref('dim_person') }} as people
full outer join named on people.person_key = named.person_key
where
    people.person_key is null
    or (people.person_key != '-1' and people.number_of_identities != coalesce(named.records, 0))
    or named.has_name = 0
