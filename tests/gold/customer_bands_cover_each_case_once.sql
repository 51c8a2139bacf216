with bands as (

    select * from {{ ref('customer_bands') }}

),

scores as (

    select distinct explode(sequence(1, 5)) as score
    from bands
    where kind = 'segment'

),

bounds as (

    select distinct explode(array(from_value, to_value)) as bound
    from bands
    where kind != 'segment'

),

-- each bound, and what is next to it
amounts as (

    select distinct explode(array(bound - 0.01, bound, bound + 0.01)) as amount
    from bounds
    where bound is not null

),

cases as (

    select
        'segment' as kind,
        cast(worth.score as decimal(18, 2)) as amount,
        recency.score as recency
    from scores as worth
    cross join scores as recency
    union all
    select
        'spend' as kind,
        cast(amount as decimal(18, 2)) as amount,
        cast(null as int) as recency
    from amounts
    union all
    -- nobody with less than one order has a score
    select
        'frequency' as kind,
        cast(amount as decimal(18, 2)) as amount,
        cast(null as int) as recency
    from amounts
    where amount >= 1 and amount = floor(amount)

)

select
    cases.kind,
    cases.amount,
    cases.recency,
    count(bands.name) as number_of_bands
from cases
left join bands
    on
        cases.kind = bands.kind
        and cases.amount >= coalesce(bands.from_value, cases.amount)
        and cases.amount <= coalesce(bands.to_value, cases.amount)
        and (cases.recency is null or cases.recency between bands.from_recency and bands.to_recency)
group by cases.kind, cases.amount, cases.recency
having count(bands.name) != 1
