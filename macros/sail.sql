{#-
    Sail keeps its catalog in memory, so each process starts without tables. A scratch folder beside the
    warehouse takes what it builds, as plain Parquet: Sail replaces that, but not a Delta folder it finds.
-#}

{% macro lakehouse_home() -%}
    {{ absolute(env_var('LAKEHOUSE_HOME', '.lakehouse')) }}
{%- endmacro %}


{% macro bronze_location() -%}
    {{ absolute(env_var('LAKEHOUSE_BRONZE', lakehouse_home() ~ '/warehouse/bronze.db')) }}
{%- endmacro %}


{% macro absolute(location) %}
    {% if location.startswith('/') or '://' in location %}{{ return(location) }}{% endif %}
    {% set folders = adapter.config.project_root.split('/') %}
    {% for folder in location.split('/') if folder not in ['', '.'] %}
        {% do folders.pop() if folder == '..' else folders.append(folder) %}
    {% endfor %}
    {{ return(folders | join('/')) }}
{% endmacro %}


{# dbt asks for these in parallel before the first hook, and dbt-sail must not be started by two threads at once. #}
{% macro sail__list_schemas(database) %}
    {{ return([]) }}
{% endmacro %}


{% macro sail__list_relations_without_caching(relation) %}
    {{ return([]) }}
{% endmacro %}


{% macro sail__create_schema(relation) %}
{% endmacro %}


{% macro sail__file_format_clause() -%}
    using parquet
{%- endmacro %}


{# Only what the selected nodes read and do not build: each table that is looked for costs a query. The docs site
   builds nothing and shows what is there. #}
{% macro attach_tables() %}
    {% if target.type != 'sail' or not execute %}{{ return('') }}{% endif %}

    {% set for_docs = flags.WHICH == 'generate' %}
    {% set read, needed = [], [] %}
    {% for id in selected_resources %}
        {# Unit tests ask for the types of what their model reads, and of the model. #}
        {% set model = 'model.' ~ id.split('.')[1:3] | join('.') %}
        {% set node = graph.nodes[model if id.startswith('unit_test.') else id] %}
        {% if node %}
            {% do read.extend([node.unique_id] + node.depends_on.nodes) %}
            {% do needed.extend([] if for_docs or node.config.meta.takes_what_is_there else node.depends_on.nodes) %}
        {% endif %}
    {% endfor %}

    {% set schemas = (graph.sources.values() | list + graph.nodes.values() | list) | map(attribute='schema') %}
    {% for schema in ['attached'] + schemas | unique | list %}
        {% do run_query(
            "create schema if not exists " ~ schema ~ " location '" ~ lakehouse_home() ~ "/sail/" ~ schema ~ ".db'"
        ) %}
    {% endfor %}

    {% for source in graph.sources.values() if source.unique_id in read %}
        {% set schema_folder = bronze_location() if source.schema == 'bronze'
            else lakehouse_home() ~ '/warehouse/' ~ source.schema ~ '.db' %}
        {% set folder = schema_folder ~ '/' ~ source.identifier %}
        {% if run_query("select 1 from text.`" ~ folder ~ "/_delta_log` limit 1") | length > 0 %}
            {% do attach_table(source.schema, source.identifier, 'delta', folder) %}
        {% elif source.unique_id in needed %}
            {% do exceptions.raise_compiler_error(
                folder ~ ' holds no table: run `' ~ (source.loader or 'lakehouse load') ~ ' --source ' ~ source.source_name ~ '` first'
            ) %}
        {% endif %}
    {% endfor %}

    {# An earlier run may have left them. #}
    {% for node in graph.nodes.values() if node.unique_id in read
        and (for_docs or node.unique_id not in selected_resources)
        and node.resource_type in ('model', 'snapshot', 'seed') %}
        {% set folder = lakehouse_home() ~ '/sail/' ~ node.schema ~ '.db/' ~ node.alias %}
        {% if run_query("select 1 from binaryFile.`" ~ folder ~ "/*.parquet` limit 1") | length > 0 %}
            {% do attach_table(node.schema, node.alias, 'parquet', folder) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{# An attached table does not know its columns; a view over it does, as fixtures and `describe` need. #}
{% macro attach_table(schema, name, file_format, folder) %}
    {% set table = 'attached.' ~ schema ~ '__' ~ name %}
    {% do run_query("create table " ~ table ~ " using " ~ file_format ~ " location '" ~ folder ~ "'") %}
    {% do run_query("create or replace view " ~ schema ~ "." ~ name ~ " as select * from " ~ table) %}
    {% if flags.WHICH == 'generate' %}{% do add_to_cache(schema, name) %}{% endif %}
{% endmacro %}


{# The docs site shows the columns of tables that are in dbt's cache. #}
{% macro add_to_cache(schema, name) %}
    {% set found = run_query("show table extended in " ~ schema ~ " like '" ~ name ~ "'") %}
    {% set columns = found.columns['information'].values()[0] %}
    {% do adapter.cache_added(api.Relation.create(schema=schema, identifier=name, type='view', information=columns)) %}
{% endmacro %}
