"""Tables in folders or object storage, read and written by delta-rs in this process."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any

import pyarrow as pa
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema

from ingestion.tables import ReadItem

_METADATA = "userMetadata"  # as Spark calls it
_APPEND_ONLY = "delta.appendOnly"
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")
# Bytes of rows that wait in memory for their commit; more of them wait on disk.
_IN_MEMORY = 64 << 20
# How far back a commit with metadata is looked for: optimizing adds commits without.
_NEWEST_COMMITS = 20


class LocalTables:
    """The tables of `folders`."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        # Tables load side by side, and all write to those in `ops`.
        self._locks: dict[str, Lock] = defaultdict(Lock)

    def exists(self, name: str) -> bool:
        """Whether the table is there."""
        return self._folders.exists(*name.split("."))

    def schema(self, name: str) -> pa.Schema:
        """Columns and types of a table."""
        return pa.schema(self._table(name).schema().to_arrow())

    def create(
        self,
        name: str,
        schema: pa.Schema,
        partitioned_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Create an empty table where there is none; metadata `comment` of a field becomes the column's.

        One that is there gets the properties, which a killed `overwrite` may have left changed.
        """
        if self.exists(name):
            delta.describe(self.location(name), configuration=properties)
            return
        # Should it be there after all, it stays as it is.
        DeltaTable.create(
            self.location(name),
            schema,
            mode="ignore",
            partition_by=list(partitioned_by),
            configuration=dict(properties or {}),
        )

    def select(self, name: str, query: str) -> pa.Table:
        """The answer to a query that names the table `{t}`."""
        engine = QueryBuilder().register("t", self._table(name))
        # `pa.table` would import pandas, which takes seconds.
        answer = pa.RecordBatchReader.from_stream(engine.execute(query.format(t="t"))).read_all()
        return answer.cast(pa.schema([(f.name, _plain(f.type)) for f in answer.schema]))

    def append(self, name: str, rows: pa.Table | pa.RecordBatchReader, metadata: str | None = None) -> None:
        """Append rows; new columns are added to the table. `metadata` is kept with the commit."""
        with self._locks[name]:
            table = self._table(name)
            known = {field.name for field in table.schema().fields}
            if new := [field for field in Schema.from_arrow(rows.schema).fields if field.name not in known]:
                table.alter.add_columns(new)
            delta.append(self.location(name), rows, commit=_commit(metadata))

    def append_items(
        self, name: str, rejects: str, items: Sequence[Any], read: ReadItem, metadata: str
    ) -> None:
        """Append what `read` gives for each item, in bounded memory: first the rejects, then the rows."""
        # Rejects are known at the end, and have to be committed before the rows.
        with SpooledTemporaryFile(_IN_MEMORY) as waiting, SpooledTemporaryFile(_IN_MEMORY) as rejected:
            left_out: pa.ipc.RecordBatchStreamWriter | None = None
            with pa.ipc.new_stream(waiting, self.schema(name), options=_LZ4) as rows:
                for item in items:
                    for accepted, others in read(item):
                        rows.write_batch(accepted)
                        if others.num_rows:
                            left_out = left_out or pa.ipc.new_stream(rejected, others.schema, options=_LZ4)
                            left_out.write_batch(others)
            if left_out:
                left_out.close()
                rejected.seek(0)
                self.append(rejects, pa.ipc.open_stream(rejected))
            waiting.seek(0)
            delta.append(self.location(name), pa.ipc.open_stream(waiting), commit=_commit(metadata))

    def overwrite(self, name: str, rows: pa.Table, partitioned_by: Sequence[str] = ()) -> None:
        """Replace rows and columns of a table that may be append-only."""
        table = self._table(name)
        append_only = table.metadata().configuration.get(_APPEND_ONLY) == "true"
        if append_only:
            table.alter.set_table_properties({_APPEND_ONLY: "false"})
        delta.overwrite(self.location(name), rows, partition_by=list(partitioned_by) or None)
        if append_only:
            self._table(name).alter.set_table_properties({_APPEND_ONLY: "true"})

    def delete(self, name: str, where: str) -> None:
        """Delete the rows for which an SQL condition holds."""
        with self._locks[name]:
            self._table(name).delete(where)

    def commit_metadata(self, name: str) -> str | None:
        """The metadata that the newest commit with some was given."""
        commits = self._table(name).history(_NEWEST_COMMITS)
        return next((commit[_METADATA] for commit in commits if _METADATA in commit), None)

    def location(self, name: str) -> str:
        """Folder or address of a table."""
        return self._folders.location(*name.split("."))

    def _table(self, name: str) -> DeltaTable:
        return delta.open_table(self.location(name))


def _commit(metadata: str | None) -> CommitProperties | None:
    return CommitProperties(custom_metadata={_METADATA: metadata}) if metadata else None


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_string_view(kind) or pa.types.is_large_string(kind) else kind
