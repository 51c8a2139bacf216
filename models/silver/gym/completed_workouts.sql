-- depends_on: {{ ref('workouts') }}
select * from {{ this }}
