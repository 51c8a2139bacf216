-- The profile of a user is the newest of its changes, and there is none where that is a deletion.
with changes as (

    select
        *,
        row_number() over (
            partition by user_id order by event_time desc, message_offset desc
        ) as age_of_change
    from {{ ref('user_profile_history') }}

),

newest as (

    select * from changes
    where age_of_change = 1 and update_type != 'delete'

),

profiles as (

    select * from {{ ref('user_profile') }}

)

{% set columns = 'user_id, event_time, message_offset, update_type, dob, sex, gender, first_name, last_name, '
    ~ 'street_address, city, state, zip' -%}

(
    select {{ columns }} from newest
    except
    select {{ columns }} from profiles
)
union all
(
    select {{ columns }} from profiles
    except
    select {{ columns }} from newest
)
