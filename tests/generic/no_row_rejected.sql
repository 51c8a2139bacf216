{% test no_row_rejected(model, rejected, reason) %}

{{ config(severity='warn') }}

{%- set contract = contract_of(model) %}

select
    '{{ reason }}' as reason,
    _source_file,
    {{ contract.config.meta['keys'] | join(', ') if execute else '*' }}
from {{ model }}
where {{ rejected }}

{% endtest %}
