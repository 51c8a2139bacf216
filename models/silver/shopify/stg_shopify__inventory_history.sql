{{ config(materialized='incremental', unique_key=['inventory_item_id', 'location_id', 'updated_at']) }}

{%- set names = [
    'available', 'on_hand', 'committed', 'incoming', 'reserved', 'damaged', 'safety_stock', 'quality_control'
] %}

with source as (

    {{
        newest_deliveries(
            source('shopify', 'inventory_levels'), ['id', 'location_gid', 'updated_at'], 'updated_at'
        )
    }}

),

parsed as (

    select
        *,
        from_json(item, 'struct<id:string, sku:string>') as inventory_item,
        from_json(quantities, 'array<struct<name:string, quantity:int>>') as quantity_list
    from source

)

select
    -- ids
    {{ shopify_id('inventory_item.id') }} as inventory_item_id,
    {{ shopify_id('location_gid') }} as location_id,

    -- text
    nullif(trim(inventory_item.sku), '') as sku,
    from_json(location, 'struct<name:string>').name as location_name,

    -- flags
    is_active,

    -- numerics
    {% for name in names -%}
    try_element_at(filter(quantity_list, entry -> entry.name = '{{ name }}'), 1).quantity as {{ name }},
    {% endfor %}
    -- times
    updated_at,

    -- lineage
    _last_ingested_at as _ingested_at

from parsed
