{#-
    The rows of a query as VALUES. It is asked first, which `lakehouse build` has Sail do on the target `local`, and
    Spark only writes what was found.
-#}

{% macro rows_found(query, texts, counts) -%}
    {%- set found = run_query(query) if execute and flags.INTROSPECT and target.type == 'spark' else [] -%}
    {%- if not found | length -%}{{ return(query) }}{%- endif -%}

    {%- set tuples = [] -%}
    {%- for row in found -%}
        {%- set values = [] -%}
        {%- for column in texts -%}
            {%- do values.append("'" ~ escape_single_quotes(row[column]) ~ "'") -%}
        {%- endfor -%}
        {%- for column in counts -%}
            {%- do values.append('cast(' ~ row[column] ~ ' as bigint)') -%}
        {%- endfor -%}
        {%- do tuples.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
    select * from values {{ tuples | join(', ') }} as rows ({{ (texts + counts) | join(', ') }})
{%- endmacro %}
