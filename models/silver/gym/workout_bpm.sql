-- depends_on: {{ ref('heart_rate') }}
-- depends_on: {{ ref('completed_workouts') }}
-- depends_on: {{ ref('users') }}
select * from {{ this }}
