{#- What the sources' YAML declares of a bronze table; nothing while dbt parses. -#}

{% macro contract_of(relation) %}
    {% if not execute %}{{ return({}) }}{% endif %}
    {% for source in graph.sources.values() %}
        {% if source.identifier == relation.identifier and source.schema == relation.schema %}
            {{ return(source) }}
        {% endif %}
    {% endfor %}
{% endmacro %}
