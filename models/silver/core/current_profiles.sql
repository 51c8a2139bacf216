-- profile and time of its last change from one table, so that they agree at any moment
with changes as (

    select
        *,
        row_number() over (
            partition by user_id order by event_time desc, message_offset desc
        ) as age_of_change,
        {{ seen_until('max(_updated_at) over (partition by user_id)') }} as updated_at
    from {{ ref('user_profile_history') }}

)

select
    user_id,
    if(update_type = 'delete', null, dob) as dob,
    if(update_type = 'delete', null, gender) as gender,
    if(update_type = 'delete', null, city) as city,
    if(update_type = 'delete', null, state) as state,
    updated_at
from changes
where age_of_change = 1
