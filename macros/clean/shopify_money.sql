{#- Amounts come as text. Those of a trillion or more do not fit the inner type, and are null. -#}

{% macro shopify_money(amount) -%}
    cast(try_cast({{ amount }} as decimal(30, 18)) as decimal(38, 18))
{%- endmacro %}
