-- the key of a person is always that of one of its records, so records tell where each key has gone
select
    record_key as old_person_key,
    person_key,
    source,
    source_id,
    rule as reason,
    shared_identifier
from {{ ref('person_identities') }}
where record_key != person_key
