{#- The rows are copied: a table that refers to files of another one would break when that is cleaned up. -#}

{% materialization clone, adapter='lakehouse' %}
    {{ return(dbt.materialization_clone_default()) }}
{% endmaterialization %}
