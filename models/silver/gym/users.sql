-- depends_on: {{ source('gym', 'registered_users') }}
select * from {{ this }}
