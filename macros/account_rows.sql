{% macro account_rows(
    source_name, table_name, keys, models, is_deleted='is_deleted', distinct_rows=none, is_rejected=none, bronze=none
) -%}
    {%- set rejected = is_rejected or keys | join(' is null or ') ~ ' is null' -%}
    {#- A run of some sources leaves the models of the others out. -#}
    {%- set missing = [] -%}
    {%- for model in models if execute and load_relation(model) is none -%}
        {%- do missing.append(model) -%}
    {%- endfor -%}
    select
        '{{ source_name }}' as source,
        '{{ table_name }}' as table_name,
    {%- if missing %}
        cast(0 as bigint) as bronze_rows,
        cast(0 as bigint) as silver_rows,
        cast(0 as bigint) as superseded_rows,
        cast(0 as bigint) as removed_rows,
        cast(0 as bigint) as rejected_rows
    where false
    {%- else %}
        bronze.bronze_rows,
        silver.silver_rows,
        bronze.superseded_rows,
        silver.removed_rows,
        bronze.rejected_rows
    from (
        select
            count_if(not is_removed) as silver_rows,
            count_if(is_removed) as removed_rows
        from (
        {%- for model in models %}
            select {{ is_deleted }} as is_removed from {{ model }}
            {{- ' union all' if not loop.last }}
        {%- endfor %}
        ) as silver_rows
    ) as silver
    cross join (
        select
            coalesce(sum(copies), 0) as bronze_rows,
            coalesce(sum(copies) filter (where not is_rejected), 0)
            - {{ distinct_rows or 'count_if(has_key and not is_rejected)' }} as superseded_rows,
            coalesce(sum(copies) filter (where is_rejected), 0) as rejected_rows
        from (
            {#- Several columns in one `count(distinct)` take Sail forty times as long, and gigabytes. #}
            select
                is_rejected,
                {{ keys | join(' is not null and ') }} is not null as has_key,
                count(*) as copies
            from (
                select *, {{ rejected }} as is_rejected from {{ bronze or source(source_name, table_name) }}
            ) as bronze_rows
            group by is_rejected, {{ keys | join(', ') }}
        ) as bronze_keys
    ) as bronze
    {%- endif %}
{%- endmacro %}
