"""Silver tables that follow bronze as it grows, by Structured Streaming.

`SOURCES` and `STREAMS` name what there is; to add a source, write a module like `gym`, declare its
tables in `_<source>__streams.yml`, and add it here.
"""

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from ingestion.contracts import SourceTable
from ingestion.streams import gym
from ingestion.streams.stream import Query
from ingestion.streams.tables import create_tables, read_tables

SOURCES = {"gym": gym.SOURCES}
STREAMS = gym.STREAMS


def open_queries(
    spark: SparkSession,
    models: Path,
    tables: Sequence[SourceTable],
    checkpoints: Path,
    watermark: str,
) -> list[Query]:
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
    empty = create_tables(spark, silver.values())
    return [
        Query(spark, table, source, STREAMS, silver, empty, checkpoints, watermark)
        for table, source in followed
    ]
