{% macro account_rows(source_name, table_name, keys, model, is_deleted='is_deleted', distinct_rows=none) -%}
    {%- set keyless = keys | join(' is null or ') ~ ' is null' -%}
    {#- A run of some sources leaves the models of the others out. -#}
    {%- set is_built = not execute or not flags.INTROSPECT or load_relation(model) is not none -%}
    select
        '{{ source_name }}' as source,
        '{{ table_name }}' as table_name,
        {%- if is_built %}
        bronze.bronze_rows,
        silver.silver_rows,
        bronze.superseded_rows,
        silver.removed_rows,
        bronze.rejected_rows
    from (
        select
            count(*) as bronze_rows,
            count_if(not ({{ keyless }}))
            - {{ distinct_rows or 'count(distinct ' ~ keys | join(', ') ~ ')' }} as superseded_rows,
            count_if({{ keyless }}) as rejected_rows
        from {{ source(source_name, table_name) }}
    ) as bronze
    cross join (
        select
            count_if(not {{ is_deleted }}) as silver_rows,
            count_if({{ is_deleted }}) as removed_rows
        from {{ model }}
    ) as silver
        {%- else %}
        cast(0 as bigint) as bronze_rows,
        cast(0 as bigint) as silver_rows,
        cast(0 as bigint) as superseded_rows,
        cast(0 as bigint) as removed_rows,
        cast(0 as bigint) as rejected_rows
    where false
        {%- endif %}
{%- endmacro %}
