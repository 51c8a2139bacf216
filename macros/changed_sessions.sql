{#-
    Sessions of completed workouts that are new, whose user has new rows in another table, or that `others`, a query
    of their keys, finds.
-#}

{% macro changed_sessions(completed_workouts, workouts_newest, of_users, of_users_newest, others) -%}
    select user_id, workout_id, session_id, start_time, end_time
    from {{ completed_workouts }} left semi join (
        select user_id, workout_id, session_id from {{ completed_workouts }}
        where
            _updated_at > {{ workouts_newest }}
            or user_id in (
                select user_id from {{ of_users }} where _updated_at > {{ of_users_newest }}
            )
        union all
        {{ others }}
    ) as changed using (user_id, workout_id, session_id)
{%- endmacro %}
