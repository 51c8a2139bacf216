{#- Each branch has one type, so that engines give the product the same places. -#}

{% macro minor_units(amount, digits='minor_digits') -%}
    cast(
        cast({{ amount }} as decimal(20, 0)) * case {{ digits }}
            when 0 then cast(1 as decimal(4, 3))
            when 2 then cast(0.01 as decimal(4, 3))
            when 3 then cast(0.001 as decimal(4, 3))
        end as decimal(22, 3)
    )
{%- endmacro %}
