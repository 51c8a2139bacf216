{% macro gym_rejected(required, time) -%}
    ({{ required | join(' is null or ') }} is null or {{ time }} is null
    or {{ time }} not between -62135596800 and 253402300799
    or {{ time }} > cast(unix_micros(_ingested_at) as double) / 1000000 + 86400)
{%- endmacro %}
