{% test one_value_each(model, column_name, of) %}

select {{ column_name }}, count(distinct {{ of }}) as different
from {{ model }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(distinct {{ of }}) > 1

{% endtest %}
