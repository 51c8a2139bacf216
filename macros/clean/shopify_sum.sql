{#- Of a list in JSON; `amount` names the part of each `entry`. -#}

{% macro shopify_sum(list, amount) -%}
    aggregate(
        {{ list }},
        cast(0 as decimal(38, 18)),
        (total, entry) -> cast(total + coalesce({{ shopify_money(amount) }}, 0) as decimal(38, 18))
    )
{%- endmacro %}
