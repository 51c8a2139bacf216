{#- An unknown currency has no digits, so that its amounts are null. -#}

{% macro with_minor_digits(relation) -%}
    select
        {{ relation }}.*,
        currencies.minor_digits
    from {{ relation }}
    left join {{ ref('stripe_currencies') }} as currencies
        on upper(trim({{ relation }}.currency)) = currencies.currency
{%- endmacro %}
