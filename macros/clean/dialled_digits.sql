{#- Digits without an extension; `+` in front where they begin with the calling code of a country. -#}

{% macro dialled_digits(column) -%}
    regexp_replace(
        regexp_replace(
            regexp_replace(lower({{ column }}), '(x|ext|#|;).*$', ''),
            -- +49 (0)30 is +49 30
            '^[ (]*([+]|00)([^(]*)([(]0[)])?', '+$2'
        ),
        '[^0-9+]', ''
    )
{%- endmacro %}
