{% macro yyyymmdd_to_date(column) -%}
    case
        when {{ column }} between 10000101 and 99991231
            then cast(try_to_timestamp(cast({{ column }} as string), 'yyyyMMdd') as date)
    end
{%- endmacro %}
