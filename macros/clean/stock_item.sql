{#- Who sends stock without a sku means the product and its variant. Null where nothing says what it is. -#}

{% macro stock_item(sku='sku', product='product_title', variant='variant_title') -%}
    coalesce(
        nullif(trim({{ sku }}), ''),
        nullif(concat_ws('|', trim({{ product }}), trim({{ variant }})), '')
    )
{%- endmacro %}
