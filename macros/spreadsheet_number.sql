{% macro spreadsheet_number(column) -%}
    case
        when right({{ column }}, 1) = '%' then try_cast(trim(trailing '%' from {{ column }}) as decimal(38, 18)) / 100
        else try_cast({{ column }} as decimal(38, 18))
    end
{%- endmacro %}
