{#- Engines give quotients of decimals different places, and some cut where others round: one cast makes them equal. -#}

{% macro divide(dividend, divisor, places=2) -%}
    cast(
        cast({{ dividend }} as decimal(26, 8)) / nullif(cast({{ divisor }} as decimal(18, 4)), 0)
        as decimal(18, {{ places }})
    )
{%- endmacro %}
