{% test exclusive_ranges(model, key, valid_from, valid_to, until) %}

with ranges as (

    select
        {{ key }},
        {{ valid_from }},
        {{ valid_to }},
        lead({{ valid_from }}) over (partition by {{ key }} order by {{ valid_from }}) as next_from
    from {{ model }}

)

select *
from ranges
where
    {{ valid_to }} {{ '<=' if until == 'exclusive' else '<' }} {{ valid_from }}
    or next_from {{ '<' if until == 'exclusive' else '<=' }} {{ valid_to }}
    or (next_from is not null and {{ valid_to }} is null)
    or next_from = {{ valid_from }}

{% endtest %}
