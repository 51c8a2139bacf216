{#- Google delivers mail to one box, whatever dots and +tags stand in its name. Others may tell boxes apart by them. -#}

{% macro normal_email(column) -%}
    case
        when regexp_like(lower(trim({{ column }})), '^[.]*[^@ +.][^@ ]*@(gmail|googlemail)[.]com$')
            then concat(
                replace(regexp_extract(lower(trim({{ column }})), '^([^@+]+)', 1), '.', ''), '@gmail.com'
            )
        when regexp_like(lower(trim({{ column }})), '^[^@ ]+@[^@ ]+[.][^@ ]+$')
            then lower(trim({{ column }}))
    end
{%- endmacro %}
