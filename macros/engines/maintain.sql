{#- Files of every table that is there are joined and cleaned up, its statistics computed: `lakehouse maintain` runs it. -#}

{% macro maintain(retain_hours=168) %}
    {% set nodes = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'snapshot', 'seed']) | list %}
    {% for node in graph.sources.values() | list + nodes %}
        {% set table = load_relation(api.Relation.create(node.database, node.schema, node.identifier or node.alias)) %}
        {% if table and table.is_table %}
            {% do run_query('optimize ' ~ table) %}
            {% do run_query('vacuum ' ~ table ~ ' retain ' ~ retain_hours ~ ' hours') %}
            {% do run_query('analyze table ' ~ table ~ ' compute statistics for all columns') %}
            {% do log(table ~ ' was maintained', info=true) %}
        {% endif %}
    {% endfor %}
{% endmacro %}
