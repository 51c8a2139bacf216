{#- An id such as gid://shopify/Order/5 or gid://shopify/InventoryLevel/5?inventory_item_id=6. -#}

{% macro shopify_id(column) -%}
    try_cast(regexp_extract({{ column }}, '/([0-9]+)(?:[?]|$)', 1) as bigint)
{%- endmacro %}
