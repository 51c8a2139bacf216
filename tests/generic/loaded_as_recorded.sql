{% test loaded_as_recorded(model, source_name, table_name) %}

with recorded as (

    select
        _batch_id,
        sum(rows_loaded) as recorded_rows
    from {{ source('ops', 'loads') }}
    where
        source = '{{ source_name }}'
        and table_name = '{{ table_name }}'
        and status = 'loaded'
    group by _batch_id

),

stored as (

    select
        _batch_id,
        count(*) as stored_rows
    from {{ model }}
    group by _batch_id

)

select *
from recorded
full outer join stored using (_batch_id)
where coalesce(recorded_rows, 0) != coalesce(stored_rows, 0)

{% endtest %}
