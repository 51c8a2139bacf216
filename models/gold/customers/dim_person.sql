with people as (

    select
        person_key,
        min(first_seen_at) as first_seen_at,
        -- shopify_order is of shopify
        array_join(sort_array(collect_set(split_part(source, '_', 1))), ', ') as channels,
        count(*) as number_of_identities
    from {{ ref('person_identities') }}
    group by person_key

),

unknown as (

    select
        '-1' as person_key,
        cast(null as timestamp) as first_seen_at,
        'Unknown' as channels,
        cast(0 as bigint) as number_of_identities

)

select * from people
union all
select * from unknown
