"""Bringing the silver tables of streams up to date with bronze, on Sail or on Spark."""

from collections.abc import Sequence

from ingestion import streams
from ingestion.contracts import SourceTable
from ingestion.streams import Query, QueryProgress, StreamError
from lakehouse.engines.local import stream_engine
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings


def open_queries(settings: Settings, tables: Sequence[SourceTable], engine: str = "local") -> list[Query]:
    """The queries that follow those of the bronze `tables` that become silver tables by streaming.

    `engine` is local or spark; on Databricks it is always Spark.
    """
    followed = [table for table in tables if table.source in streams.SOURCES]
    if not followed:
        return []
    return streams.open_queries(stream_engine(settings, engine), settings.models, followed)


def follow_bronze(queries: Sequence[Query]) -> list[QueryProgress]:
    """Bring the silver tables of streams up to date with bronze; what each query did.

    Raises:
        LakehouseError: a stream failed.
    """
    try:
        return [query.run() for query in queries]
    except StreamError as error:
        raise LakehouseError(str(error)) from None
