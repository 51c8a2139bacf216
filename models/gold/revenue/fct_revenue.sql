{{ config(
    materialized='incremental',
    unique_key=['channel', 'source_id', 'event_type'],
    liquid_clustered_by=['local_date']
) }}

{%- set parts = ['gross', 'discount', 'returns', 'shipping', 'tax', 'tip', 'gift_card', 'duty'] %}
{%- set columns = [
    'channel', 'source_id', 'event_type', 'order_id', 'payment_id', 'order_key', 'person_key',
    'occurred_at', 'local_date', 'currency', 'gross', 'discount', 'returns', 'shipping', 'tax', 'tip',
    'gift_card', 'duty', 'amount', 'total_charged', 'fee', 'fee_currency', 'usd_per_unit', 'rate_date',
    'amount_usd', 'fee_usd', 'is_settlement'
] %}

with events as (

    select * from {{ ref('revenue_events') }}

),

matched as (

    select
        events.*,
        coalesce(events.order_id, matches.order_id) as sold_order_id,
        matches.order_id is not null as is_settlement,
        coalesce(people.person_key, '-1') as person_key
    from events
    left join {{ ref('bridge_order_payment') }} as matches
        on events.channel = matches.channel and events.payment_id = matches.payment_id
    left join {{ ref('person_identities') }} as people
        on events.identity_source = people.source and events.identity_id = people.source_id

),

priced as (

    select
        matched.*,
        case when matched.currency = 'USD' then matched.occurred_on else rates.rate_date end as rate_date,
        case
            when matched.currency = 'USD' then cast(1 as decimal(19, 10)) else rates.usd_per_unit
        end as usd_per_unit,
        case
            when matched.fee_currency = 'USD' then cast(1 as decimal(19, 10)) else fee_rates.usd_per_unit
        end as fee_usd_per_unit
    from matched
    left join {{ ref('exchange_rates') }} as rates
        on matched.currency = rates.currency and matched.occurred_on = rates.day
    left join {{ ref('exchange_rates') }} as fee_rates
        on matched.fee_currency = fee_rates.currency and matched.occurred_on = fee_rates.day

),

-- a payment that settles an order is counted there
counted as (

    select
        *,
        case
            when is_settlement then cast(0 as decimal(18, 3))
            else cast(gross - discount - returns + shipping as decimal(18, 3))
        end as amount
    from priced

),

final as (

    select
        -- ids
        channel,
        source_id,
        event_type,
        sold_order_id as order_id,
        payment_id,
        case
            when event_type in ('sale', 'payment') and not is_settlement
                then concat_ws('|', channel, coalesce(sold_order_id, source_id))
        end as order_key,
        person_key,

        -- times
        occurred_at,
        local_date,

        -- money in the customer's currency
        currency,
        {% for part in parts -%}
        case when is_settlement then cast(0 as decimal(18, 3)) else {{ part }} end as {{ part }},
        {% endfor -%}
        amount,
        total_charged,
        fee,
        fee_currency,

        -- money in US dollars; nothing needs no rate
        usd_per_unit,
        rate_date,
        case
            when amount = 0 then cast(0 as decimal(18, 2)) else cast(amount * usd_per_unit as decimal(18, 2))
        end as amount_usd,
        case
            when fee = 0 then cast(0 as decimal(18, 2)) else cast(fee * fee_usd_per_unit as decimal(18, 2))
        end as fee_usd,

        -- flags
        is_settlement
    from counted

)

-- new events, and those that are told differently now
select {{ columns | join(', ') }} from final
{% if is_incremental() %}
except
select {{ columns | join(', ') }} from {{ this }}
{% endif %}
