{#- For people: "silver.heart_rate: 100 of 253,801 device_id are not in users (heart_rate_device_id_not_in_users)". -#}

{% macro failure_message(result) %}
    {% set node = result.node %}
    {% set id = node.attached_node or node.depends_on.nodes | last %}
    {% set tested = graph.nodes.get(id) or graph.sources.get(id) %}
    {% set relation = api.Relation.create(tested.database, tested.schema, tested.identifier or tested.alias) %}
    {% set label = tested.schema ~ '.' ~ (tested.identifier or tested.alias) %}
    {% set count = '{:,}'.format(result.failures) %}
    {% set kind = node.test_metadata.name if node.test_metadata %}
    {% set arguments = node.test_metadata.kwargs if node.test_metadata else {} %}
    {% if kind in ['not_null', 'accepted_range', 'relationships'] %}
        {% set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] %}
        {% set count = count ~ ' of ' ~ '{:,}'.format(rows) %}
    {% endif %}
    {% set said = {
        'not_null': count ~ ' ' ~ node.column_name ~ ' are missing',
        'relationships': count ~ ' ' ~ node.column_name ~ ' are not in ' ~ modules.re.sub("\\w+\\('|'\\)", '', arguments.get('to', '')),
        'accepted_range': count ~ ' ' ~ node.column_name ~ ' are not between '
            ~ arguments.get('min_value', 'any') ~ ' and ' ~ arguments.get('max_value', 'any'),
        'accepted_values': count ~ ' values of ' ~ node.column_name ~ ' are none of ' ~ arguments.get('values', []) | join(', '),
        'unique': count ~ ' ' ~ node.column_name ~ ' are there more than once',
        'primary_key': count ~ ' keys (' ~ arguments.get('columns', []) | join(', ') ~ ') are null or there more than once',
    }.get(kind, count ~ ' rows: ' ~ (node.description or 'no row should be found')) %}
    {{ return(label ~ ': ' ~ said ~ ' (' ~ node.name ~ ')') }}
{% endmacro %}
