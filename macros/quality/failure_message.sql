{#- For people: "silver.heart_rate: 100 of 253,801 device_id are not in users (heart_rate_device_id_not_in_users)". -#}

{% macro failure_message(result) %}
    {% set node = result.node %}
    {% set source = 'source.' ~ project_name ~ '.' ~ node.sources[0] | join('.') if node.sources %}
    {% set id = node.attached_node or source or node.depends_on.nodes | last | default('') %}
    {% set tested = graph.nodes.get(id) or graph.sources.get(id) %}
    {% if not tested %}{{ return(node.name ~ ': ' ~ result.failures ~ ' rows') }}{% endif %}
    {% set relation = api.Relation.create(tested.database, tested.schema, tested.identifier or tested.alias) %}
    {% set metadata = node.test_metadata or {'name': none, 'kwargs': {}} %}
    {% set kind, arguments, column, count = metadata.name, metadata.kwargs, node.column_name, '{:,}'.format(result.failures) %}
    {% if kind in ['not_null', 'accepted_range', 'relationships'] %}
        {% set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] %}
        {% set count = count ~ ' of ' ~ '{:,}'.format(rows) %}
    {% endif %}
    {% set said = {
        'not_null': count ~ ' ' ~ column ~ ' are missing',
        'relationships': count ~ ' ' ~ column ~ ' are not in ' ~ modules.re.sub("\\w+\\('|'\\)", '', arguments.get('to', '')),
        'accepted_range': count ~ ' ' ~ column ~ ' are not between ' ~ arguments.get('min_value', 'any') ~ ' and ' ~ arguments.get('max_value', 'any'),
        'accepted_values': count ~ ' values of ' ~ column ~ ' are none of ' ~ arguments.get('values', []) | join(', '),
        'accepted_form': count ~ ' ' ~ column ~ ' do not match ' ~ arguments.get('pattern', ''),
        'one_value_each': count ~ ' ' ~ column ~ ' have more than one ' ~ arguments.get('of', '') ~ (': ' ~ node.description if node.description),
        'unique': count ~ ' ' ~ column ~ ' are there more than once',
        'primary_key': count ~ ' keys (' ~ arguments.get('columns', []) | join(', ') ~ ') are null or there more than once',
        'extract_read_completely': count ~ ' records of the newest extract cannot be parsed; their keys are kept as they were',
        'extract_not_truncated': 'the newest extract has far fewer keys than the one before',
        'no_row_rejected': count ~ ' rows are rejected: ' ~ arguments.get('reason', ''),
        'row_accounting': 'bronze rows are not all in silver, superseded, removed or rejected',
    }.get(kind, count ~ (' wrong row' if result.failures == 1 else ' wrong rows') ~ (': ' ~ node.description if node.description)) %}
    {{ return(tested.schema ~ '.' ~ relation.identifier ~ ': ' ~ said ~ ' (' ~ node.name ~ ')') }}
{% endmacro %}
