{{ config(
    materialized='incremental',
    unique_key='session_key',
    tags=['streaming'],
    post_hook="{{ delete_outdated('session_key', group='session_id') }}"
) }}

{%- set steps = ['product_view', 'add_to_cart', 'checkout', 'purchase'] %}
{#- A click without a session is one of its browser's or, where that is not known, of its user's. -#}
{%- set visit = 'coalesce(session_id, anonymous_id, user_id, event_id)' %}

with orders as (

    select
        trim(leading '#' from order_name) as order_number,
        min(order_id) as order_id
    from {{ ref('stg_shopify__orders') }}
    group by trim(leading '#' from order_name)

),

clicks as (

    select
        *,
        {{ visit }} as visit_id,
        struct(event_time, event_id) as place,
        max(_ingested_at) over (partition by {{ visit }}) as last_ingested_at,
        lag(event_time) over (partition by {{ visit }} order by event_time, event_id) as event_before
    from {{ ref('stg_clickstream__events') }}
    {% if is_incremental() %}
    -- all clicks of visits with new ones, and of those whose order has come by now
    where
        {{ visit }} in (
            select {{ visit }} from {{ ref('stg_clickstream__events') }} as sent
            where sent._ingested_at > {{ newest('_ingested_at', this) }}
            union all
            select stored.session_id from {{ this }} as stored
            inner join orders on stored.order_number = orders.order_number
            where stored.order_id is null
        )
    {% endif %}

),

parts as (

    select
        *,
        1 + count_if(event_time > event_before + interval {{ var('session_gap_minutes') }} minutes) over (
            partition by visit_id order by event_time, event_id
        ) as part,
        event_time as visit_at
    from clicks

),

{%- for step in steps %}
{%- set before = loop.previtem or 'visit' %}

-- a step counts where it was done after the one before
until_{{ step }} as (

    select
        *,
        min(case when event_type = '{{ step }}' and event_time >= {{ before }}_at then event_time end) over (
            partition by visit_id, part
        ) as {{ step }}_at
    from {{ 'parts' if loop.first else 'until_' ~ before }}

),
{%- endfor %}

sessions as (

    select
        visit_id as session_id,
        part,
        -- who logs in has done what was done before in the session, too
        max_by(user_id, place) filter (where user_id is not null) as user_id,
        max_by(anonymous_id, place) filter (where anonymous_id is not null) as anonymous_id,
        min_by(order_number, place) filter (where order_number is not null) as order_number,
        min_by(referrer, place) as referrer,
        min_by(device, place) as device,
        min(event_time) as started_at,
        max(event_time) as ended_at,
        count(*) as clicks,
        count_if(event_type in ('page_view', 'product_view')) as pages,
        count(
            distinct case when event_type = 'purchase' then coalesce(order_number, event_id) end
        ) as purchases,
        {%- for step in steps %}
        min({{ step }}_at) as {{ step }}_at,
        {%- endfor %}
        max(last_ingested_at) as _ingested_at
    from until_{{ steps | last }}
    group by visit_id, part

)

select
    {{ surrogate_key("concat_ws('|', sessions.session_id, sessions.part)") }} as session_key,
    sessions.*,
    coalesce(sessions.user_id, sessions.anonymous_id, sessions.session_id) as user_key,
    orders.order_id,
    cast(sessions.started_at as date) as started_on,
    cast(
        1
        {%- for step in steps %}
        + if(sessions.{{ step }}_at is null, 0, 1)
        {%- endfor %}
        as int
    ) as steps_reached
from sessions
left join orders on sessions.order_number = orders.order_number
