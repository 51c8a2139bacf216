{% macro current_versions(snapshot, key) -%}
    {%- if is_incremental() %}
        {%- set newest = newest('_changed_at', this) %}
    {%- endif %}
    select
        *,
        dbt_valid_to is not null as is_deleted
    from (
        select
            *,
            {#- Of all versions: where a key has two ids, the one that is left may be older than the one that went. #}
            max(coalesce(dbt_valid_to, dbt_valid_from)) over (partition by {{ key }}) as _changed_at,
            row_number() over (
                partition by {{ key }}
                order by dbt_valid_to desc nulls first, dbt_valid_from desc, dbt_scd_id
            ) as _age
        from {{ snapshot }}
        {%- if is_incremental() %}
        where {{ key }} in (
            select {{ key }} from {{ snapshot }}
            where dbt_valid_from > {{ newest }} or dbt_valid_to > {{ newest }}
        )
        {%- endif %}
    ) as versions
    where _age = 1
{%- endmacro %}
