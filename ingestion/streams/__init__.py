"""Silver tables that follow bronze as it grows.

`SOURCES` and `STREAMS` name what there is; to add a source, write a package like `gym`, declare its
tables in `_<source>__models.yml`, and add it here. They run on an engine: `on_sail` in this process, or
`on_spark`, as Structured Streaming.
"""

from collections.abc import Sequence
from pathlib import Path

from ingestion.contracts import SourceTable
from ingestion.streams import gym
from ingestion.streams.query import Engine, Query, QueryProgress, StreamError
from ingestion.streams.tables import read_tables

__all__ = ["SOURCES", "STREAMS", "Engine", "Query", "QueryProgress", "StreamError", "open_queries"]

SOURCES = {"gym": gym.SOURCES}
STREAMS = gym.STREAMS


def open_queries(engine: Engine, models: Path, tables: Sequence[SourceTable]) -> list[Query]:
    """A query for each of the bronze `tables` that is followed; missing silver tables are created."""
    known = {(table.source, table.name): table for table in tables}
    followed = [
        (known[name, source.table], source)
        for name, sources in SOURCES.items()
        for source in sources
        if (name, source.table) in known
    ]
    if not followed:
        return []
    silver = read_tables(models)
    engine.create(silver.values())
    return [Query(engine, table, source, STREAMS, silver) for table, source in followed]
