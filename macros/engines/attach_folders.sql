{% macro attach_folders() %}
    {% if 'bronze' in run_query('show schemas').columns[0].values() %}{{ return('') }}{% endif %}

    {% set bronze = env_var('LAKEHOUSE_BRONZE', '') %}
    {% for place in [bronze, env_var('LAKEHOUSE_HOME', '.lakehouse') ~ '/warehouse/*.db'] if place %}
        {# A table has a commit; a folder without one is what a killed run left. #}
        {% set folders = run_query(
            "select distinct regexp_extract(path, '^(.*)/_delta_log/', 1) as folder from binaryFile.`"
            ~ place ~ "/*/_delta_log/*.json`"
        ).columns[0].values() %}
        {% for folder in folders %}
            {% set schema = 'bronze' if place == bronze else folder.split('/')[-2] | replace('.db', '') %}
            {% do run_query('create schema if not exists ' ~ schema) %}
            {% set table = schema ~ '.`' ~ folder.split('/')[-1] ~ '`' %}
            {% do run_query('create table if not exists ' ~ table ~ " using delta location '" ~ folder ~ "'") %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
