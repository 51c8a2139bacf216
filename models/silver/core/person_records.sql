{# Calling codes of one and of two digits; all others have three. #}
{% set code = '1|7|2[07]|3[0123469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3}' %}

with sent as (

    select
        *,
        {{ dialled_digits('phone') }} as dialled
    from {{ ref('person_records_as_sent') }}

),

-- a number without a calling code is of the country of its address
coded as (

    select
        sent.*,
        case
            when sent.dialled like '+%' then regexp_extract(sent.dialled, '^[+]({{ code }})', 1)
            else countries.calling_code
        end as calling_code,
        regexp_replace(sent.dialled, '^[+]({{ code }})', '') as national
    from sent
    left join {{ ref('calling_codes') }} as countries on upper(trim(sent.country)) = countries.country

),

rules as (

    select distinct
        calling_code,
        trunk_prefix,
        min_digits,
        max_digits
    from {{ ref('calling_codes') }}

),

numbered as (

    select
        coded.*,
        rules.min_digits,
        rules.max_digits,
        case
            when coded.national like concat(rules.trunk_prefix, '%')
                then substr(coded.national, 1 + length(rules.trunk_prefix))
            else coded.national
        end as without_trunk
    from coded
    left join rules on coded.calling_code = rules.calling_code

)

select
    -- ids
    source,
    source_id,
    {{ record_key('source', 'source_id') }} as record_key,

    -- text
    person_name,
    {{ normal_email('email') }} as email,
    case
        when length(without_trunk) between min_digits and max_digits
            then concat('+', calling_code, without_trunk)
        when length(national) between min_digits and max_digits
            then concat('+', calling_code, national)
    end as phone,

    -- flags
    is_verified,

    -- times
    first_seen_at

from numbered
