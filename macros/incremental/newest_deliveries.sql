{#- Names of pages grow with their windows, whenever they are loaded: without a better one, they tell the order. -#}

{% macro newest_deliveries(relation, keys, newest_by="regexp_extract(_source_file, '[^/]+$', 0)") -%}
    select *
    from (
        select
            *,
            max(_ingested_at) over (partition by {{ keys | join(', ') }}) as _last_ingested_at,
            row_number() over (
                partition by {{ keys | join(', ') }}
                order by {{ newest_by }} desc nulls last, _ingested_at desc, _source_file desc
            ) as _version_rank
        from {{ relation }}
        where
            {{ keys | join(' is not null and ') }} is not null
            {%- if is_incremental() %}
            -- an older version may be delivered later
            and {{ keys[0] }} in (
                select {{ keys[0] }} from {{ relation }}
                where _ingested_at > {{ newest('_ingested_at', this) }}
            )
            {%- endif %}
    )
    where _version_rank = 1
{%- endmacro %}
