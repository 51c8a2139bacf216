{% macro current_versions(snapshot, key) -%}
    select
        *,
        dbt_valid_to is not null as is_deleted,
        coalesce(dbt_valid_to, dbt_valid_from) as _changed_at
    from (
        select
            *,
            row_number() over (
                partition by {{ key }}
                order by dbt_valid_to desc nulls first, dbt_valid_from desc, dbt_scd_id
            ) as _age
        from {{ snapshot }}
        {%- if is_incremental() %}
        where {{ key }} in (
            select {{ key }}
            from {{ snapshot }}
            where coalesce(dbt_valid_to, dbt_valid_from) > {{ newest('_changed_at', this) }}
        )
        {%- endif %}
    ) as versions
    where _age = 1
{%- endmacro %}
