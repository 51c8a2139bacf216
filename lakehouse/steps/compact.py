"""Joining the small files that streams leave: one in each cycle."""

from collections.abc import Sequence

from ingestion.streams.compaction import compact
from lakehouse.warehouse import Warehouse


def compact_tables(warehouse: Warehouse, names: Sequence[str]) -> None:
    """Join the small files of the tables (`schema.table`) that have many; on Databricks, maintenance does."""
    for place, name in enumerate(names):
        schema, table = name.split(".")
        if warehouse.folders.exists(schema, table):
            compact(warehouse.folders.location(schema, table), place)
