-- the person of a customer is that of the customer's record
select
    customers.customer_id,
    customers.person_key,
    identities.person_key as person_key_of_record
from {{ ref('dim_customer') }} as customers
left join {{ ref('person_identities') }} as identities
    on identities.source = 'crm' and cast(customers.customer_id as string) = identities.source_id
where not customers.person_key <=> coalesce(identities.person_key, '-1')
