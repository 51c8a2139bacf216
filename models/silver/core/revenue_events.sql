{%- set sources = ['line', 'shopify', 'stripe', 'transactions'] %}
{%- set parts = ['gross', 'discount', 'returns', 'shipping', 'tax', 'tip', 'gift_card', 'duty'] %}

with told as (

    {%- for source in sources %}
    select * from {{ ref(source ~ '_revenue') }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}

)

-- three digits, which some currencies have
select
    channel,
    source_id,
    event_type,
    order_id,
    payment_id,
    identity_source,
    identity_id,
    occurred_at,
    cast(occurred_at as date) as occurred_on,
    local_date,
    currency,
    {% for part in parts -%}
    cast({{ part }} as decimal(18, 3)) as {{ part }},
    {% endfor -%}
    cast(total_charged as decimal(18, 3)) as total_charged,
    cast(fee as decimal(18, 3)) as fee,
    fee_currency
from told
