{% test primary_key(model, columns, nullable=[], delivered_at=[]) %}

{%- set required = columns | reject('in', nullable) | list %}
{%- set unchecked = unchecked(model, delivered_at) %}

select {{ columns | join(', ') }}, count(*) as copies
from {{ model }}
{% if unchecked != 'true' -%}
left semi join (
    select {% for column in columns %}{{ column }} as new_{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ model }}
    where {{ unchecked }}{{ nothing_unchecked() if unchecked == 'false' }}
) as unchecked
on {% for column in columns %}{{ column }} <=> new_{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
{% endif -%}
group by {{ columns | join(', ') }}
having count(*) > 1{% for column in required %} or {{ column }} is null{% endfor %}

{% endtest %}
