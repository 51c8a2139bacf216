"""Writing Delta tables by delta-rs: every function is one commit, and an error leaves the table as it was."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake

from .arrow import Rows, Source, WriteError, plain_schema
from .errors import about_table
from .folders import has_commit


def open_table(location: str) -> DeltaTable:
    """The table in a folder or at an address, as it is now.

    Raises:
        TableError: its log is damaged, or cannot be read.
    """
    try:
        return DeltaTable(location)
    except Exception as error:
        raise about_table(name_of(location), error) from None


def overwrite(
    location: str,
    rows: Rows,
    *,
    description: str | None = None,
    partition_by: Sequence[str] | None = None,
    configuration: Mapping[str, str] | None = None,
    commit: CommitProperties | None = None,
) -> None:
    """Make a table of these rows, or replace all rows, columns and comments of the one that is there.

    Description and configuration belong to the commit that makes a table; where one that is there has
    others, a second commit changes them.

    Raises:
        WriteError: the name of a column is none that every reader takes.
    """
    source = Source(name_of(location), rows)
    _check_names(source)
    with source.own_errors():
        write_deltalake(
            location,
            source.reader(),
            mode="overwrite",
            schema_mode="overwrite",
            partition_by=list(partition_by or []),
            description=description,
            configuration=configuration,
            commit_properties=commit,
        )
    describe(location, description, configuration)


def append(
    location: str,
    rows: Rows,
    *,
    partition_by: Sequence[str] | None = None,
    configuration: Mapping[str, str] | None = None,
    description: str | None = None,
    commit: CommitProperties | None = None,
) -> None:
    """Add rows to a table, which is made where there is none; values take the types of its columns.

    Raises:
        WriteError: the table lacks a column, or a value does not fit its type.
    """
    known = has_commit(location)
    source = Source(name_of(location), rows, _target_schema(location, rows.schema.names) if known else None)
    _check_names(source)
    with source.own_errors():
        write_deltalake(
            location,
            source.reader(),
            mode="append",
            partition_by=None if known else list(partition_by or []),
            description=None if known else description,
            configuration=None if known else configuration,
            commit_properties=commit,
        )


def merge(
    location: str,
    rows: Rows,
    keys: Sequence[str],
    *,
    where: str | None = None,
    delete: str | None = None,
    update: Sequence[str] | None = None,
    commit: CommitProperties | None = None,
) -> dict[str, Any]:
    """Update the rows of a table that have the keys of these rows, insert the others; of no rows, no commit.

    Args:
        location: of a table that exists.
        rows: with columns that the table has; values take their types.
        keys: columns that tell which rows are the same. Null is the same as nothing.
        where: SQL on columns of `t`, the table, true for all rows that have a key of these rows; files
            without such rows are left alone.
        delete: SQL on columns of `s`, these rows; of those for which it is true, matching rows are deleted,
            and none are inserted.
        update: columns that matching rows take over; by default all.
        commit: properties of the commit.

    Returns:
        What delta-rs counted, such as `num_target_rows_inserted`.

    Raises:
        WriteError: two of the rows have the same key, the table lacks a column, or a value does not fit.
    """
    keys = list(dict.fromkeys(keys))
    seen = Keys(name_of(location), keys)
    names = rows.schema.names
    target = _target_schema(location, [*names, *keys])
    source = Source(
        name_of(location), rows, pa.schema([target.field(name) for name in names]), seen.add, seen.check
    )
    if source.is_empty:
        return dict.fromkeys(_COUNTS, 0)
    same = [f"t.{quoted(key)} = s.{quoted(key)}" for key in keys]
    if where:
        same.append(f"({where})")
    kept = f"not coalesce({delete}, false)" if delete else None
    with source.own_errors():
        merger = open_table(location).merge(
            source.reader(), " and ".join(same), source_alias="s", target_alias="t", commit_properties=commit
        )
        if delete:
            merger = merger.when_matched_delete(delete)
        columns = names if update is None else update
        if columns:
            merger = merger.when_matched_update(assignments(columns), kept)
        merger = merger.when_not_matched_insert(assignments(names), kept)
        return dict(merger.execute())


_COUNTS = [
    "num_source_rows",
    "num_target_rows_inserted",
    "num_target_rows_updated",
    "num_target_rows_deleted",
    "num_target_rows_copied",
    "num_output_rows",
    "num_target_files_added",
    "num_target_files_removed",
]


def describe(
    location: str, description: str | None = None, configuration: Mapping[str, str] | None = None
) -> None:
    """Set description and configuration of a table where they are others; without a change, no commit."""
    table = open_table(location)
    known = table.metadata()
    if description is not None and description != (known.description or ""):
        table.alter.set_table_description(description)
    new = {k: v for k, v in (configuration or {}).items() if known.configuration.get(k) != v}
    if new:
        table.alter.set_table_properties(new)


def arrow_schema(table: DeltaTable) -> pa.Schema:
    """Columns of a table."""
    return plain_schema(pa.schema(table.schema().to_arrow()))


def newest(table: DeltaTable, column: str) -> datetime | None:
    """The newest time in a column, as the statistics of the table's files say; null where they do not."""
    files = pa.table(table.get_add_actions(flatten=True))
    name = f"max.{column}"
    time: datetime | None = pc.max(files[name]).as_py() if name in files.column_names else None
    return time


def quoted(column: str) -> str:
    """A column's name in SQL."""
    return f"`{column}`"


def assignments(columns: Sequence[str]) -> dict[str, str]:
    """Columns of the table that take the values of those of `s`."""
    return {quoted(column): f"s.{quoted(column)}" for column in columns}


def name_of(location: str) -> str:
    """`schema.table` of a folder or address, for messages."""
    path = PurePosixPath(location)
    return f"{path.parent.name.removesuffix('.db')}.{path.name}"


class Keys:
    """The keys of rows that pass by."""

    def __init__(self, table: str, keys: Sequence[str]) -> None:
        self._table, self._keys = table, list(keys)
        self._seen: list[pa.RecordBatch] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Remember the keys of these rows."""
        self._seen.append(batch.select(self._keys))

    def check(self) -> None:
        """Refuse keys that came twice."""
        if not self._seen or not self._keys:
            return
        seen = pa.Table.from_batches(self._seen).drop_null()
        counted = seen.group_by(self._keys).aggregate([([], "count_all")])
        twice = counted.filter(pc.greater(counted["count_all"], 1)).slice(0, 1).to_pylist()
        if twice:
            # Values may be personal, and errors are logged.
            raise WriteError(
                f"{self._table}: {twice[0]['count_all']} of the rows to merge have the same key "
                f"({', '.join(self._keys)}). Select one row of each key."
            )


def _target_schema(location: str, names: Sequence[str]) -> pa.Schema:
    """Columns of a table that must have these."""
    target = arrow_schema(open_table(location))
    unknown = [name for name in names if name not in target.names]
    if unknown:
        raise WriteError(
            f"{name_of(location)} has no column {', '.join(unknown)}. Add it to the table, or leave it out."
        )
    return target


def _check_names(source: Source) -> None:
    for name in source.schema.names:
        if set(name) & _REFUSED:
            raise WriteError(
                f"{source.table}: the name of column `{name}` has a blank or one of , ; {{ }} ( ) = in it, "
                "which readers of Delta refuse. Give it another name."
            )


_REFUSED = set(" ,;{}()\n\t=")
