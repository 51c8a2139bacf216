{#- Literals, which let Delta skip files. -#}

{% macro period_of(first, last, relation) %}
    {% if not execute %}{{ return(none) }}{% endif %}
    {% set row = run_query(
        'select cast(min(' ~ first ~ ') as string), cast(max(' ~ last ~ ') as string) from ' ~ relation
    ).rows[0] %}
    {% if row[0] is none %}{{ return(none) }}{% endif %}
    {{ return(["timestamp '" ~ row[0] ~ "'", "timestamp '" ~ row[1] ~ "'"]) }}
{% endmacro %}
