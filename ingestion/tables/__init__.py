"""Delta tables as ingestion sees them: read by SQL, written one commit at a time, by delta-rs or by Spark."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

# What one item, such as a landed file, holds: batches of rows, each with those that are rejected.
ReadItem = Callable[[Any], Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]]


def commented_schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """A schema of names, types and comments, as `Tables.create` takes it."""
    return pa.schema([pa.field(name, kind, metadata={"comment": comment}) for name, kind, comment in columns])


class Tables(Protocol):
    """The tables of a lakehouse by `schema.name`. Each write is one commit; threads may share it."""

    def exists(self, name: str) -> bool:
        """Whether the table is there."""

    def schema(self, name: str) -> pa.Schema:
        """Columns and types of a table."""

    def create(
        self,
        name: str,
        schema: pa.Schema,
        partitioned_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Create an empty table where there is none; metadata `comment` of a field becomes the column's."""

    def select(self, name: str, query: str) -> pa.Table:
        """The answer to a query that names the table `{t}`, in SQL that DataFusion and Spark both know."""

    def append(self, name: str, rows: pa.Table, metadata: str | None = None) -> None:
        """Append rows; new columns are added to the table. `metadata` is kept with the commit."""

    def append_items(
        self, name: str, rejects: str, items: Sequence[Any], read: ReadItem, metadata: str
    ) -> None:
        """Append what `read` gives for each item, in bounded memory.

        One commit takes what is rejected to the table `rejects`, where there is any. Then one commit, with
        `metadata`, takes the rows to the table `name`. Both tables exist.
        """

    def overwrite(self, name: str, rows: pa.Table, partitioned_by: Sequence[str] = ()) -> None:
        """Replace rows and columns of a table that may be append-only."""

    def delete(self, name: str, where: str) -> None:
        """Delete the rows for which an SQL condition holds."""

    def commit_metadata(self, name: str) -> str | None:
        """The metadata that the newest commit with some was given."""
