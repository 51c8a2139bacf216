{% macro day_month_year_to_date(column) -%}
    case
        when regexp_like({{ column }}, '^[0-9]{1,2}/[0-9]{1,2}/[1-9][0-9]{3}$')
            then cast(try_to_timestamp({{ column }}, 'd/M/yyyy') as date)
    end
{%- endmacro %}
