{#-
    The rows of a query as VALUES: then Spark only has to write them, and `lakehouse build` has Sail find them. Text
    without rows where there are none; null where they are many, or a type can not be made of a text.
-#}

{% macro few_rows(query, types) %}
    {% if not looks_at_tables() %}{{ return(none) }}{% endif %}
    {% set few = 1000 %}
    {% set to_text, from_text = [], [] %}
    {% for column, type in types.items() %}
        {% if type.split('<')[0] | lower in ['array', 'map', 'struct', 'binary', 'variant'] %}{{ return(none) }}{% endif %}
        {% do to_text.append('cast(`' ~ column ~ '` as string)') %}
        {% do from_text.append('cast(`' ~ column ~ '` as ' ~ type ~ ') as `' ~ column ~ '`') %}
    {% endfor %}
    {% set rows = run_query(
        'select ' ~ to_text | join(', ') ~ ' from (' ~ query ~ '\n) as found limit ' ~ (few + 1)
    ).rows %}
    {% if rows | length > few %}{{ return(none) }}{% endif %}

    {% set tuples = [] %}
    {% for row in rows %}
        {% set cells = [] %}
        {% for text in row.values() %}
            {% do cells.append(text_literal(text)) %}
        {% endfor %}
        {% do tuples.append('(' ~ cells | join(', ') ~ ')') %}
    {% endfor %}
    {{ return(
        'select ' ~ from_text | join(', ') ~ ' from values ' ~ tuples | join(', ')
        ~ ' as found (`' ~ types | join('`, `') ~ '`)' if tuples else ''
    ) }}
{% endmacro %}


{% macro text_literal(text) %}
    {% if text is none %}{{ return('null') }}{% endif %}
    {{ return("'" ~ text | replace('\\', '\\\\') | replace("'", "\\'") ~ "'") }}
{% endmacro %}
