{#- Spark's catalog lasts as long as its process. What earlier runs built lies in the folders. -#}

{% macro spark__list_relations_without_caching(relation) %}
    {% if target.type != 'spark' %}{{ return(dbt.databricks__list_relations_without_caching(relation)) }}{% endif %}
    {% do attach_folders() %}
    {{ return(dbt.spark__list_relations_without_caching(relation)) }}
{% endmacro %}
