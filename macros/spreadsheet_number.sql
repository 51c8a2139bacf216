{% macro spreadsheet_number(column) -%}
    case
        when right({{ column }}, 1) = '%' then try_cast(trim(trailing '%' from {{ column }}) as decimal(18, 4)) / 100
        else try_cast({{ column }} as decimal(18, 4))
    end
{%- endmacro %}
