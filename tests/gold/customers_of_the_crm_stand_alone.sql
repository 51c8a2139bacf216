-- `dim_customer` takes the key of the record for that of the person
select
    source_id,
    person_key,
    record_key
from {{ ref('person_identities') }}
where source = 'crm' and person_key != record_key
