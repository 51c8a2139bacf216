{% macro spreadsheet_number(column) -%}
    case
        when right({{ column }}, 1) = '%'
            then cast(
                try_cast(trim(trailing '%' from {{ column }}) as decimal(30, 16)) * cast(0.01 as decimal(3, 2))
                as decimal(38, 18)
            )
        else try_cast({{ column }} as decimal(38, 18))
    end
{%- endmacro %}
