{% macro shopify_amount(column, currency='shopMoney') -%}
    {{ shopify_money("from_json(" ~ column ~ ", 'struct<" ~ currency ~ ":struct<amount:string>>')." ~ currency ~ ".amount") }}
{%- endmacro %}
