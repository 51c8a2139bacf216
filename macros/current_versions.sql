{% macro current_versions(snapshot, key) -%}
    {%- if is_incremental() %}
        {#- Either time alone, unlike the newer of both, lets Delta skip the files that are older. #}
        {%- set newest = newest('_changed_at', this) %}
        {%- set has_changed = condition_or_false(
            snapshot, 'dbt_valid_from > ' ~ newest ~ ' or dbt_valid_to > ' ~ newest
        ) %}
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
        {%- if has_changed %}
        where {{ key }} in (select {{ key }} from {{ snapshot }} where {{ has_changed }})
        {%- endif %}
    ) as versions
    where _age = 1
{%- endmacro %}
