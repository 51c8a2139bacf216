{% macro epoch_to_timestamp(seconds) -%}
    case
        when {{ seconds }} between -62135596800 and 253402300799
            then timestamp_seconds(cast({{ seconds }} as bigint))
    end
{%- endmacro %}
