{#- Python writes such a table; the node's place is in the lineage. dbt only looks whether the table is there. -#}
{% materialization external, default %}
    {% set table = load_cached_relation(this) %}
    {% if table is none %}
        {% do exceptions.raise_compiler_error(
            this.schema ~ '.' ~ this.identifier ~ ' does not exist: run `' ~ config.get('meta').written_by ~ '` first.'
        ) %}
    {% endif %}
    {% call noop_statement('main', 'OK') %}{% endcall %}
    {{ return({'relations': [table]}) }}
{% endmaterialization %}
