{#- A merge leaves a row of a group that a later run no longer finds. The others of its group have a newer `_ingested_at`. -#}

{% macro delete_outdated(key, group) %}
    {%- set query -%}
        select {{ key }}
        from (
            select {{ key }}, _ingested_at, max(_ingested_at) over (partition by {{ group }}) as newest
            from {{ this }}
        ) as stored
        where _ingested_at < newest
    {%- endset %}
    {%- set outdated = run_query(query).columns[0].values() if execute %}
    {%- if outdated -%}
        delete from {{ this }} where {{ key }} in ('{{ outdated | join("', '") }}')
    {%- endif %}
{% endmacro %}
