{% macro ops_table(name) %}
    {#- Hooks write to it, so it must not be the empty selection that `--empty` makes of a source. -#}
    {% set declared = source('ops', name) %}
    {{ return(api.Relation.create(declared.database, generate_schema_name(declared.schema, none), declared.identifier)) }}
{% endmacro %}
