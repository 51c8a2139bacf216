{#- A SQL warehouse keeps statistics of the first 32 columns by itself; the settings of `local` keep none. -#}

{% macro statistics_of(columns) %}
    {{ return({'delta.dataSkippingStatsColumns': columns | join(', ')} if target.name == 'local' else {}) }}
{% endmacro %}
