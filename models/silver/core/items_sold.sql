-- a line that was edited or came back was sold all the same
select
    {{ stock_item('lines.sku', 'lines.title', 'coalesce(lines.variant_title, variants.title)') }} as item,
    lines.quantity,
    orders.processed_at as sold_at
from {{ ref('stg_shopify__order_lines') }} as lines
inner join {{ ref('stg_shopify__orders') }} as orders on lines.order_id = orders.order_id
left join {{ ref('stg_shopify__variants') }} as variants on lines.variant_id = variants.variant_id
where
    not coalesce(orders.is_test, false)
    and orders.processed_at is not null
