{#- A registration without a usable time is one. -#}

{% macro gym_rejected_registration() -%}
    user_id is null or device_id is null
    or coalesce(
        registration_timestamp > cast(unix_micros(_ingested_at) as double) / 1000000 + 86400 and registration_timestamp <= 253402300799,
        false
    )
{%- endmacro %}
