{#-
    dbt's own strategies compare the table of now with the snapshot. This one compares each extract with the one before
    it, so no change is lost when several extracts wait. Columns and `newest_by` are those of the contract.
-#}

{% macro snapshot_extracts_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {% set unique_key = config.require('unique_key') %}
    {% set source = graph.sources[node.depends_on.nodes | first] %}
    {% do return({
        'extracts': true,
        'unique_key': [unique_key] if unique_key is string else unique_key,
        'updated_at': config.require('updated_at'),
        'columns': source.columns.keys() | list,
        'newest_by': source.config.meta.get('newest_by'),
        'source': source.source_name,
        'table': source.name,
        'hard_deletes': 'invalidate',
    }) %}
{% endmacro %}
