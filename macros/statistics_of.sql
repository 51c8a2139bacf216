{#- A SQL warehouse keeps statistics of the first 32 columns by itself; the settings of `local` keep none. -#}

{% macro statistics_of(columns) %}
    {% if target.name == 'local' %}
        {{ return({'delta.dataSkippingStatsColumns': columns | join(', ')}) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}
