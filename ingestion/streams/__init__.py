"""Silver tables that follow bronze as it grows.

`SOURCES` and `STREAMS` name what there is; to add a source, write a package like `gym`, declare its
tables in `_<source>__models.yml`, and add it here. They run on an engine: `on_sail` in this process, or
`on_spark`, as Structured Streaming.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ingestion.contracts import SourceTable, read_contracts
from ingestion.streams import gym
from ingestion.streams.query import Engine, Query, QueryProgress, StreamError
from ingestion.streams.tables import StreamTable, read_tables

__all__ = ["SOURCES", "STREAMS", "Engine", "Query", "QueryProgress", "StreamError", "open_queries"]

SOURCES = {"gym": gym.SOURCES}
STREAMS = gym.STREAMS


def open_queries(engine: Engine, models: Path, tables: Sequence[SourceTable]) -> list[Query]:
    """A query for each of the bronze `tables` that is followed; missing silver tables are created.

    Where one is missing, all of bronze is taken again; what the others have already stays as it is.
    """
    silver = read_tables(models)
    queries = _queries(engine, tables, silver)
    if not queries:
        return []
    if not all(map(engine.exists, silver.values())):
        for query in _queries(engine, read_contracts(models), silver):
            query.start_over()
    engine.create(silver.values())
    return queries


def _queries(engine: Engine, tables: Sequence[SourceTable], silver: Mapping[str, StreamTable]) -> list[Query]:
    known = {(table.source, table.name): table for table in tables}
    return [
        Query(engine, known[name, source.table], source, STREAMS, silver)
        for name, sources in SOURCES.items()
        for source in sources
        if (name, source.table) in known
    ]
