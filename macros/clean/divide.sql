{#-
    Engines give quotients of decimals different places, and some cut them off where others round. Eight more places
    than a number of money has, and one cast of the whole, give the same on all of them.
-#}

{% macro divide(dividend, divisor, places=2) -%}
    cast(
        cast({{ dividend }} as decimal(26, 8)) / nullif(cast({{ divisor }} as decimal(18, 4)), 0)
        as decimal(18, {{ places }})
    )
{%- endmacro %}
