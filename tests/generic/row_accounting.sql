{#-
    Every row of a source table is in silver, superseded by another delivery or copy, removed by the source, or rejected.
    One row of figures; `store_row_accounting` keeps it. Keys and kind of delivery are those of the contract.
-#}

{% test row_accounting(model, silver, keys=none, rejected=none, bronze=none, distinct_rows=none) %}

{{ config(fail_calc='count_if(unexplained_rows != 0)') }}

{%- set source = contract_of(model) %}
{%- set contract = source.config.meta if execute else {'keys': ['key'], 'delivery': 'changes'} %}
{%- set keys = keys or contract['keys'] %}

with bronze_rows as (

    select
        *,
        coalesce({{ keys | join(' is null or ') }} is null{{ ' or ' ~ rejected if rejected }}, false) as is_rejected
    from {{ bronze or model }}

),

-- several columns in one `count(distinct)` take Sail forty times as long
bronze_keys as (

    select
        is_rejected,
        {{ keys | join(' is not null and ') }} is not null as has_key,
        count(*) as copies
    from bronze_rows
    group by is_rejected, {{ keys | join(', ') }}

),

bronze as (

    select
        coalesce(sum(copies), 0) as bronze_rows,
        coalesce(sum(copies) filter (where not is_rejected), 0)
        - {{ distinct_rows or 'count_if(has_key and not is_rejected)' }} as superseded_rows,
        coalesce(sum(copies) filter (where is_rejected), 0) as rejected_rows
    from bronze_keys

),

silver_rows as (

    {%- for table in silver %}
    select {{ 'is_deleted' if contract['delivery'] == 'complete' else 'false' }} as is_removed from {{ table }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}

),

silver as (

    select
        count_if(not is_removed) as silver_rows,
        count_if(is_removed) as removed_rows
    from silver_rows

)

select
    '{{ source.source_name }}' as source,
    '{{ source.name }}' as table_name,
    bronze.bronze_rows,
    silver.silver_rows,
    bronze.superseded_rows,
    silver.removed_rows,
    bronze.rejected_rows,
    bronze.bronze_rows - silver.silver_rows - bronze.superseded_rows
    - silver.removed_rows - bronze.rejected_rows as unexplained_rows
from bronze
cross join silver

{% endtest %}
