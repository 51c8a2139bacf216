-- depends_on: {{ ref('user_profile_history') }}
select * from {{ this }}
