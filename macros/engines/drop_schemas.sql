{#- A developer's or a pull request's own schemas go, with all that is in them: DATABRICKS_SCHEMA is their prefix. -#}

{% macro drop_schemas() %}
    {% if target.schema == 'gold' %}
        {% do exceptions.raise_compiler_error('These are the schemas of production: set DATABRICKS_SCHEMA to a prefix.') %}
    {% endif %}
    {% set built = graph.nodes.values() | map(attribute='schema') | unique | list %}
    {% for schema in built + [generate_schema_name('ops', none)] if schema.startswith(target.schema ~ '_') %}
        {% do drop_schema(api.Relation.create(target.database, schema)) %}
    {% endfor %}
{% endmacro %}
