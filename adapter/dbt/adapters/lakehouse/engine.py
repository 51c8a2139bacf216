"""What dbt does to tables: Sail answers the query, delta-rs makes one commit of its rows."""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Field, write_deltalake
from deltalake import Schema as DeltaSchema

from . import delta
from .arrow import Source, WriteError, spark_type
from .delta import arrow_schema, assignments, quoted
from .folders import Folders
from .options import Options
from .sail import Sail

# A table's name: schema and table.
Name = tuple[str, str]


class Engine:
    """The tables of a warehouse; threads may share an engine."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.sail = Sail(folders)

    def location(self, name: Name) -> str:
        """Folder or address of a table."""
        return self.folders.location(*name)

    def exists(self, name: Name) -> bool:
        """Whether there is such a table."""
        return self.folders.exists(*name)

    def table(self, name: Name) -> DeltaTable:
        """A table as it is now.

        Raises:
            WriteError: there is none.
        """
        if not self.exists(name):
            raise WriteError(f"There is no table {'.'.join(name)} in {self.folders.schema(name[0])}.")
        return delta.open_table(self.location(name))

    def columns(self, name: Name) -> pa.Schema:
        """Columns of a table, with their comments."""
        return arrow_schema(self.table(name))

    def types_of(self, sql: str) -> dict[str, str]:
        """Columns of a query and their types in Spark SQL, as they would be kept; the query does not run."""
        return {column.name: spark_type(column.type) for column in self._schema_of(sql)}

    def width_of(self, sql: str) -> int:
        """How many columns a query has, those of one name each; the query does not run."""
        return len(self._schema_of(sql))

    def _schema_of(self, sql: str) -> pa.Schema:
        return self.sail.stream(f"select * from (\n{sql}\n) as typed where false").schema

    def overwrite(self, name: Name, sql: str, options: Options | None = None) -> None:
        """Make a table of a query's rows, or replace the one that is there.

        Raises:
            WriteError: a row breaks a constraint of `options`, or a column has no type.
        """
        options = options or Options()
        rows = options.checked(".".join(name), self.sail.stream(options.with_checks(sql)))
        delta.overwrite(
            self.location(name),
            rows,
            description=options.description,
            partition_by=options.partition_by,
            configuration=options.configuration,
        )

    def append(self, name: Name, sql: str, options: Options | None = None) -> None:
        """Add a query's rows to a table, in the types of its columns."""
        delta.append(self.location(name), self._fitting(name, sql, options))

    def merge(
        self,
        name: Name,
        sql: str,
        keys: Sequence[str],
        options: Options | None = None,
        *,
        where: str | None = None,
        update: Sequence[str] | None = None,
    ) -> None:
        """Update and insert a query's rows; see `delta.merge`."""
        delta.merge(self.location(name), self._fitting(name, sql, options), keys, where=where, update=update)

    def overwrite_where(self, name: Name, sql: str, condition: str, options: Options | None = None) -> None:
        """Replace the rows for which a condition is true by a query's, of which it is true too."""
        source = Source(".".join(name), self._fitting(name, sql, options), self.columns(name))
        with source.own_errors():
            write_deltalake(self.location(name), source.reader(), mode="overwrite", predicate=condition)

    def overwrite_partitions(self, name: Name, sql: str, options: Options) -> None:
        """Replace the partitions of which a query has rows; without partitions, all rows."""
        partitions = self.table(name).metadata().partition_columns
        if not partitions:
            return self.overwrite_rows(name, sql, options)
        named = ", ".join(quoted(column) for column in partitions)
        fitting = self.fitting_sql(name, sql)
        found = self.sail.stream(f"select distinct {named} from (\n{fitting}\n) as new").read_all()
        if found.num_rows:
            condition = " or ".join(f"({_equals(row)})" for row in found.to_pylist())
            self.overwrite_where(name, sql, condition, options)
        return None

    def overwrite_rows(self, name: Name, sql: str, options: Options | None = None) -> None:
        """Replace all rows of a table by a query's, which take the types of its columns."""
        table = self.table(name)
        source = Source(".".join(name), self._fitting(name, sql, options), arrow_schema(table))
        delta.overwrite(self.location(name), source.reader(), partition_by=table.metadata().partition_columns)

    def rewrite(self, name: Name, sql: str, renamed: Mapping[str, str] | None = None) -> None:
        """Replace a table by a query on itself, with other columns; comments and partitions stay."""
        new = {old.lower(): column for old, column in (renamed or {}).items()}
        table = self.table(name)
        comments = {
            new.get(column.name.lower(), column.name).lower(): column.metadata[b"comment"].decode()
            for column in arrow_schema(table)
            if column.metadata and b"comment" in column.metadata
        }
        partitions = tuple(new.get(c.lower(), c) for c in table.metadata().partition_columns)
        self.overwrite(name, sql, Options(comments=comments, partition_by=partitions))

    def change_columns(
        self, name: Name, changed: Mapping[str, str | None], renamed: Mapping[str, str] | None = None
    ) -> None:
        """Rewrite a table with other SQL for some of its columns, or without those of None.

        Raises:
            WriteError: there is no such column.
        """
        if not changed:
            return
        lower = {column.lower(): sql for column, sql in changed.items()}
        select = [lower.pop(column.lower(), quoted(column)) for column in self.columns(name).names]
        if lower:
            raise WriteError(f"{'.'.join(name)} has no column {', '.join(lower)}.")
        columns = ", ".join(sql for sql in select if sql)
        self.rewrite(name, f"select {columns} from {'.'.join(map(quoted, name))}", renamed)

    def replace_keys(
        self, name: Name, sql: str, keys: Sequence[str], options: Options, where: str = "true"
    ) -> None:
        """Delete the rows that have a key of a query's rows and insert all of these, in one commit.

        Rows for which `where` is not true stay; it may call the table `DBT_INTERNAL_DEST`.
        """
        new = self.fitting_sql(name, sql)
        columns = ", ".join(quoted(column) for column in self.columns(name).names)
        same = " and ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in keys)
        table = f"{quoted(name[0])}.{quoted(name[1])} as DBT_INTERNAL_DEST"
        self.overwrite_rows(
            name,
            f"select {columns} from (select * from {table} where {where}) as old "
            f"left anti join (\n{new}\n) as new on {same}\n"
            f"union all select {columns} from {table} where not coalesce({where}, false)\n"
            f"union all select {columns} from (\n{new}\n) as new",
            options,
        )

    def merge_snapshot(
        self, name: Name, sql: str, columns: Mapping[str, str], current: str | None = None
    ) -> None:
        """Close versions and insert new ones, as the rows of a snapshot's staging query say.

        Args:
            name: of the snapshot.
            sql: rows with `dbt_change_type`: `insert`, or `update` and `delete`, which close the version that
                has their id.
            columns: names of dbt's own columns, by what they are called by default.
            current: SQL of the end of versions that are current, where that is not null.
        """
        types = self.types_of(sql)
        kept = {c: t for c, t in types.items() if not c.lower().startswith(_STAGING)}
        known = self.columns(name).names
        self.add_columns(name, {column: kind for column, kind in kept.items() if column not in known})
        target = self.columns(name)
        valid_to, scd_id = columns["dbt_valid_to"], columns["dbt_scd_id"]
        select = [_as(c, kept[c], spark_type(target.field(c).type)) for c in kept]
        end = spark_type(target.field(valid_to).type)
        select += ["dbt_change_type", f"cast({current or 'null'} as {end}) as dbt_current"]
        seen = delta.Keys(".".join(name), [scd_id])
        end_field = target.field(valid_to).with_name("dbt_current")
        schema = pa.schema([*map(target.field, kept), pa.field("dbt_change_type", pa.string()), end_field])
        rows = self.sail.stream(f"select {', '.join(select)} from (\n{sql}\n) as staged")
        source = Source(".".join(name), rows, schema, seen.add, seen.check)
        if source.is_empty:
            return
        is_current = f"t.{quoted(valid_to)} is null or t.{quoted(valid_to)} = s.dbt_current"
        with source.own_errors():
            (
                self.table(name)
                .merge(source.reader(), f"t.{quoted(scd_id)} = s.{quoted(scd_id)}", "s", "t")
                .when_matched_update(
                    assignments([valid_to]),
                    f"({is_current}) and s.dbt_change_type in ('update', 'delete')",
                )
                .when_not_matched_insert(assignments(list(kept)), "s.dbt_change_type = 'insert'")
                .execute()
            )

    def add_columns(self, name: Name, types: Mapping[str, str]) -> None:
        """Add columns of types of Spark SQL; where there are none to add, no commit."""
        if not types:
            return
        schema = DeltaSchema.from_arrow(self.empty(types).schema)
        self.table(name).alter.add_columns([Field(f.name, f.type, nullable=True) for f in schema.fields])

    def empty(self, types: Mapping[str, str]) -> pa.RecordBatchReader:
        """No rows, with columns of types of Spark SQL."""
        return self.sail.stream(self.empty_sql(types))

    def empty_sql(self, types: Mapping[str, str]) -> str:
        """A query without rows that has columns of these types."""
        columns = ", ".join(f"cast(null as {kind}) as {quoted(column)}" for column, kind in types.items())
        return f"select {columns} where false"

    def comment_columns(self, name: Name, options: Options) -> None:
        """Comment columns, each that has another comment in a commit."""
        table = self.table(name)
        for column in table.schema().fields:
            comment = options.comment_of(column.name)
            if comment and column.metadata.get("comment") != comment:
                table.alter.set_column_metadata(column.name, {**column.metadata, "comment": comment})

    def truncate(self, name: Name) -> None:
        """Delete all rows."""
        self.table(name).delete()

    def rename(self, old: Name, new: Name) -> None:
        """Move a table, in the place of one that has the name already."""
        self.table(old)
        self.drop(new)
        target = self._folder(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._folder(old).rename(target)
        self.sail.forget(*old)

    def drop(self, name: Name) -> None:
        """Delete a table, or what is left of one; without its log it is gone before its files are."""
        folder = self._folder(name)
        self.sail.forget(*name)
        if (folder / "_delta_log").exists():
            (folder / "_delta_log").rename(folder / f"_dropped_{uuid.uuid4().hex}")
        shutil.rmtree(folder, ignore_errors=True)

    def create_schema(self, schema: str) -> None:
        """Make the folder of a schema."""
        if "://" not in self.folders.schema(schema):
            Path(self.folders.schema(schema)).mkdir(parents=True, exist_ok=True)

    def drop_schema(self, schema: str) -> None:
        """Delete a schema with all its tables."""
        place = self._folder((schema, "any")).parent
        for folder in place.glob("*"):
            self.drop((schema, folder.name))
        shutil.rmtree(place, ignore_errors=True)

    def fitting_sql(self, name: Name, sql: str) -> str:
        """A query's rows in the types of a table's columns."""
        target = self.columns(name)
        names = {column.lower(): column for column in target.names}
        columns = []
        for column, kind in self.types_of(sql).items():
            known = names.get(column.lower())
            if known is None:
                raise WriteError(
                    f"{'.'.join(name)} has no column {column}. Add it to the table, or leave it out."
                )
            columns.append(_as(column, kind, spark_type(target.field(known).type), known))
        return f"select {', '.join(columns)} from (\n{sql}\n) as fitting"

    def _fitting(self, name: Name, sql: str, options: Options | None) -> pa.RecordBatchReader:
        options = options or Options()
        rows = self.sail.stream(options.with_checks(self.fitting_sql(name, sql)))
        return options.checked(".".join(name), rows)

    def _folder(self, name: Name) -> Path:
        location = self.location(name)
        if "://" in location:
            raise WriteError(f"{location} is in object storage, where tables are only made and written.")
        return Path(location)


# Columns of a snapshot's staging query that are not its own.
_STAGING = ("dbt_change_type", "dbt_unique_key")


def _as(column: str, kind: str, wanted: str, name: str | None = None) -> str:
    value = quoted(column) if kind == wanted else f"cast({quoted(column)} as {wanted})"
    return f"{value} as {quoted(name or column)}"


def _equals(row: Mapping[str, Any]) -> str:
    """SQL for delta-rs that finds the rows of a partition."""
    return " and ".join(
        f"{quoted(column)} is null" if value is None else f"{quoted(column)} = {_literal(value)}"
        for column, value in row.items()
    )


def _literal(value: object) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    text = str(value).replace("'", "''")
    return f"'{text}'"
