{#- Null where a timestamp cannot hold it. Of seconds alone, Sail drops the fraction. -#}

{% macro gym_timestamp(seconds) -%}
    timestamp_micros(
        cast(if({{ seconds }} between -62135596800 and 253402300799, {{ seconds }}, null) * 1000000 as bigint)
    )
{%- endmacro %}
