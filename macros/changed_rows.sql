{#-
    What a query finds: the keys as VALUES where they are few, and from when to when its rows last. A model that
    uses these has Spark run the query once, and Delta skip files.
-#}

{% macro changed_rows(query, keys, first, last) %}
    {% if not execute %}{{ return(none) }}{% endif %}
    {% set few = 1000 %}
    {% set rows = run_query(
        'select ' ~ keys | join(', ') ~ ', cast(' ~ first ~ ' as string), cast(' ~ last ~ ' as string) from ('
        ~ query ~ ') as changed limit ' ~ (few + 1)
    ).rows %}
    {% if not rows %}{{ return(none) }}{% endif %}

    {% set keys_as_values = none %}
    {% if rows | length > few %}
        {% set rows = run_query(
            'select cast(min(' ~ first ~ ') as string), cast(max(' ~ last ~ ') as string) from ('
            ~ query ~ ') as changed'
        ).rows %}
    {% else %}
        {% set tuples = [] %}
        {% for row in rows %}
            {% do tuples.append('(' ~ row.values()[:keys | length] | join(', ') ~ ')') %}
        {% endfor %}
        {% set keys_as_values = 'select * from values ' ~ tuples | join(', ')
            ~ ' as changed (' ~ keys | join(', ') ~ ')' %}
    {% endif %}
    {{ return({
        'keys': keys_as_values,
        'first': "timestamp '" ~ rows | map(attribute=-2) | min ~ "'",
        'last': "timestamp '" ~ rows | map(attribute=-1) | max ~ "'",
    }) }}
{% endmacro %}
