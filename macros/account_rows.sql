{% macro account_rows(source_name, table_name, keys, model, is_deleted='is_deleted') -%}
    {%- set keyless = keys | join(' is null or ') ~ ' is null' -%}
    select
        '{{ source_name }}' as source,
        '{{ table_name }}' as table_name,
        bronze.bronze_rows,
        silver.silver_rows,
        bronze.superseded_rows,
        silver.removed_rows,
        bronze.rejected_rows
    from (
        select
            count(*) as bronze_rows,
            count_if(not ({{ keyless }})) - count(distinct {{ keys | join(', ') }}) as superseded_rows,
            count_if({{ keyless }}) as rejected_rows
        from {{ source(source_name, table_name) }}
    ) as bronze
    cross join (
        select
            count_if(not {{ is_deleted }}) as silver_rows,
            count_if({{ is_deleted }}) as removed_rows
        from {{ model }}
    ) as silver
{%- endmacro %}
