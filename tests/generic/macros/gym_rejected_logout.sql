{#- Of a usable login. -#}

{% macro gym_rejected_logout() -%}
    coalesce(
        logout < login or logout not between -62135596800 and 253402300799
        or logout > cast(unix_micros(_ingested_at) as double) / 1000000 + 86400,
        false
    )
{%- endmacro %}
