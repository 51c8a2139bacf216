{#-
    Spark does not run what it knows to be about nothing. A question is asked once in a build: the tests of a table
    mostly ask the same, and run after it is built.
-#}

{% macro condition_or_false(relation, condition) %}
    {% set answers = graph.setdefault('condition_or_false', {}) if execute else {} %}
    {% set question = relation ~ ' where ' ~ condition %}
    {% if question not in answers %}
        {% do answers.update({question: condition if has_rows(relation, condition) else 'false'}) %}
    {% endif %}
    {{ return(answers[question]) }}
{% endmacro %}
