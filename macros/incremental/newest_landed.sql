{#- Names of pages grow with their windows, whenever they are loaded; other files count by their load. -#}

{% macro newest_landed(relation, key='id') -%}
    select *
    from (
        select
            *,
            max(_ingested_at) over (partition by {{ key }}) as last_ingested_at,
            row_number() over (
                partition by {{ key }}
                order by regexp_extract(_source_file, '[^/]+$', 0) desc, _ingested_at desc
            ) as version_rank
        from {{ relation }}
        where
            {{ key }} is not null
            {%- if is_incremental() %}
            and {{ key }} in (
                select {{ key }} from {{ relation }} where _ingested_at > {{ newest('_ingested_at', this) }}
            )
            {%- endif %}
    ) as versions
    where version_rank = 1
{%- endmacro %}
