-- the newest day may still go on; the day of a run would give other segments to the same data
with as_of as (

    select date_add(max(cast(occurred_at as date)), -1) as as_of_date
    from {{ ref('fct_revenue') }}

),

revenue as (

    select
        revenue.person_key,
        concat_ws(
            '|', revenue.channel, coalesce(revenue.order_id, revenue.payment_id, revenue.source_id)
        ) as order_key,
        cast(revenue.occurred_at as date) as revenue_date,
        cast(revenue.occurred_at as date)
        > add_months(as_of.as_of_date, -{{ var('segments_of_months') }}) as counts,
        revenue.amount,
        revenue.amount_usd,
        as_of.as_of_date
    from {{ ref('fct_revenue') }} as revenue
    inner join as_of on cast(revenue.occurred_at as date) <= as_of.as_of_date
    where not revenue.is_settlement and revenue.person_key != '-1'

),

orders as (

    select
        person_key,
        as_of_date,
        min(revenue_date) as order_date,
        min(counts) as counts,
        sum(amount) > 0 as is_sale,
        sum(case when counts then amount_usd end) as monetary,
        count(case when counts and amount_usd is null then 1 end) as unknown_amounts
    from revenue
    group by person_key, as_of_date, order_key

),

people as (

    select
        person_key,
        as_of_date,
        max(case when is_sale then order_date end) as last_order_date,
        count(case when is_sale and counts then 1 end) as frequency,
        cast(if(sum(unknown_amounts) = 0, coalesce(sum(monetary), 0), null) as decimal(18, 2)) as monetary
    from orders
    group by person_key, as_of_date

),

ranked as (

    select
        *,
        count(*) over (partition by frequency > 0) as number_of_people,
        rank() over (partition by frequency > 0 order by last_order_date) as recency_rank,
        rank() over (partition by frequency > 0 order by monetary nulls first) as monetary_rank
    from people
    where last_order_date is not null

),

bands as (

    select * from {{ ref('customer_bands') }}

),

-- equals have the same score; who has not ordered of late has none
scored as (

    select
        ranked.*,
        cast(frequency_bands.name as int) as frequency_score,
        case when ranked.frequency > 0 then {{ fifth('recency_rank', 'number_of_people') }} end
            as recency_score,
        case when ranked.frequency > 0 then {{ fifth('monetary_rank', 'number_of_people') }} end
            as monetary_score
    from ranked
    left join bands as frequency_bands
        on
            frequency_bands.kind = 'frequency'
            and ranked.frequency between frequency_bands.from_value
            and coalesce(frequency_bands.to_value, ranked.frequency)

)

select
    scored.person_key,
    scored.as_of_date,
    scored.last_order_date,
    cast(datediff(scored.as_of_date, scored.last_order_date) as int) as recency,
    scored.frequency,
    scored.monetary,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    concat(scored.recency_score, scored.frequency_score, scored.monetary_score) as rfm_score,
    coalesce(segments.name, 'Lost') as segment,
    coalesce(spend_bands.name, 'unknown') as spend_band

from scored
left join bands as segments
    on
        segments.kind = 'segment'
        and scored.recency_score between segments.from_recency and segments.to_recency
        and (scored.frequency_score + scored.monetary_score + 1) div 2
        between segments.from_value and segments.to_value
left join bands as spend_bands
    on
        spend_bands.kind = 'spend'
        and scored.monetary between coalesce(spend_bands.from_value, scored.monetary)
        and coalesce(spend_bands.to_value, scored.monetary)
