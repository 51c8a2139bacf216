-- depends_on: {{ source('gym', 'gym_logins') }}
select * from {{ this }}
