{% test extract_read_completely(model) %}

{{ config(severity='warn') }}

{%- set contract = contract_of(model) %}

with newest as (

    select max(_ingested_at) as newest_at from {{ model }}

)

select
    quarantine._source_file,
    quarantine.reason,
    quarantine.record
from {{ source('ops', 'quarantine') }} as quarantine
inner join newest on quarantine._ingested_at = newest.newest_at
where
    quarantine.source = '{{ contract.source_name }}'
    and quarantine.table_name = '{{ contract.name }}'
    and quarantine.reason = 'the record cannot be parsed'

{% endtest %}
