{% macro gym_messages(sent_messages=none) -%}
    (
        select
            *,
            concat_ws(
                '|', user_id, workout_id, session_id, action, device_id, try_cast(time as decimal(38, 6)),
                if(topic = 'user_info', offset, null)
            ) as message_key,
            objects is null or objects != 1 or case topic
                when 'user_info' then {{ gym_rejected(['user_id', "if(update_type in ('new', 'update', 'delete'), 1, null)", 'offset'], 'time') }}
                when 'workout' then
                    {{ gym_rejected(['user_id', 'workout_id', 'session_id', "if(action in ('start', 'stop'), 1, null)"], 'time') }}
                when 'bpm' then {{ gym_rejected(['device_id', 'heartrate'], 'time') }}
                else true
            end as is_unusable
        from (
            select
                topic,
                key,
                value,
                offset,
                _ingested_at,
                -- in brackets, what follows the object is an error
                size(
                    from_json(concat('[', value, ']'), 'array<map<string,string>>', map('allowSingleQuotes', 'false'))
                ) as objects,
                sent.user_id,
                sent.update_type,
                sent.workout_id,
                sent.session_id,
                sent.action,
                sent.device_id,
                if(isnan(sent.heartrate), null, sent.heartrate) as heartrate,
                coalesce(sent.time, sent.timestamp) as time
            from (
                select
                    *,
                    from_json(
                        value,
                        'user_id bigint, update_type string, timestamp double, workout_id bigint, '
                        || 'session_id bigint, action string, device_id bigint, time double, heartrate double'
                    ) as sent
                from {{ sent_messages or source('gym', 'kafka_multiplex') }}
            ) as parsed
        ) as fields
    ) as messages
{%- endmacro %}
