{#- A run of noise is two or more characters that are no letters, or one that no name holds. -#}

{% macro clean_person_name(column) -%}
    {%- set noise = "(?:[^\\\\p{L}\\\\p{M}]{2,}|[^\\\\p{L}\\\\p{M} \\'’-])" -%}
    {#- Before a small letter it is inside a word, otherwise between words. -#}
    nullif(
        trim(both ' \'’-' from regexp_replace(
            regexp_replace({{ column }}, '{{ noise }}(\\p{Ll})', '$1'), '{{ noise }}', ' '
        )), ''
    )
{%- endmacro %}
