{#- Without a division, which Sail refuses beside a join over ranges. -#}

{% macro fifth(rank, number) -%}
    1{% for cut in range(1, 5) %} + if(({{ rank }} - 1) * 5 >= {{ number }} * {{ cut }}, 1, 0){% endfor %}
{%- endmacro %}
