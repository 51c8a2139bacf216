{% macro account_rows(
    counted, source_name, table_name, keys, models, is_deleted='is_deleted', distinct_rows=none, is_rejected=none,
    bronze=none
) -%}
    {%- set rejected = is_rejected or keys | join(' is null or ') ~ ' is null' -%}
    {%- set known = counted.get((source_name, table_name), {}) -%}
    {#- A run of some sources leaves the models of the others out. -#}
    {%- set missing = [] -%}
    {%- for model in models if looks_at_tables() and load_relation(model) is none -%}
        {%- do missing.append(model) -%}
    {%- endfor -%}
    {#- What was counted and checked before cannot have changed without new rows in bronze. -#}
    {%- set is_unchanged = known and last_check() -%}
    select
        '{{ source_name }}' as source,
        '{{ table_name }}' as table_name,
    {%- if not missing %}
        {{ known.get('bronze_rows', 'bronze.bronze_rows') }} as bronze_rows,
        {{ known.silver_rows if is_unchanged else 'silver.silver_rows' }} as silver_rows,
        {{ known.get('superseded_rows', 'bronze.superseded_rows') }} as superseded_rows,
        {{ known.removed_rows if is_unchanged else 'silver.removed_rows' }} as removed_rows,
        {{ known.get('rejected_rows', 'bronze.rejected_rows') }} as rejected_rows
        {%- if not is_unchanged %}
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
        {%- endif %}
        {%- if not known %}
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
    {%- else %}
        cast(0 as bigint) as bronze_rows,
        cast(0 as bigint) as silver_rows,
        cast(0 as bigint) as superseded_rows,
        cast(0 as bigint) as removed_rows,
        cast(0 as bigint) as rejected_rows
    where false
    {%- endif %}
{%- endmacro %}


{#- Bronze only grows: while it holds as many rows as when they were counted last, that count holds. -#}

{% macro counted_rows() %}
    {% if not looks_at_tables() or flags.FULL_REFRESH or not load_relation(this) %}
        {{ return({}) }}
    {% endif %}
    {% set row_counts = [] %}
    {% for table in graph.sources.values() if table.schema == 'bronze' and table.unique_id in model.depends_on.nodes %}
        {% set bronze = source(table.source_name, table.name) %}
        {% if load_relation(bronze) %}
            {% do row_counts.append(
                "select '" ~ table.source_name ~ "' as source, '" ~ table.name ~ "' as table_name, count(*) as row_count"
                ~ ' from ' ~ bronze
            ) %}
        {% endif %}
    {% endfor %}
    {% set counted = {} %}
    {% for row in run_query(
        'select * from ' ~ this ~ ' inner join (' ~ row_counts | join(' union all ')
        ~ ') as bronze using (source, table_name) where bronze_rows = row_count'
    ) %}
        {% set counts = {} %}
        {% for column in ['bronze_rows', 'silver_rows', 'superseded_rows', 'removed_rows', 'rejected_rows'] %}
            {% do counts.update({column: 'cast(' ~ row[column] ~ ' as bigint)'}) %}
        {% endfor %}
        {% do counted.update({(row['source'], row['table_name']): counts}) %}
    {% endfor %}
    {{ return(counted) }}
{% endmacro %}
