-- depends_on: {{ source('gym', 'kafka_multiplex') }}
select * from {{ this }}
