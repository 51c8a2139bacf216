{#- Dates as numbers such as 20240229 differ by 10000 a year; who was born on 29 February turns older on 1 March. -#}

{% macro age_in_years(birth_date, day) -%}
    case
        when {{ birth_date }} <= {{ day }}
            then cast(floor(
                (
                    year({{ day }}) * 10000 + month({{ day }}) * 100 + day({{ day }})
                    - year({{ birth_date }}) * 10000 - month({{ birth_date }}) * 100 - day({{ birth_date }})
                ) / 10000
            ) as int)
    end
{%- endmacro %}
