"""How a model's table is described, divided and checked, as its dbt node says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .arrow import WriteError

# Columns that say whether a row keeps the promise of a check.
_CHECK = "__check_"


@dataclass(frozen=True)
class Options:
    """What a table has beside its rows.

    Attributes:
        description: of the table; None keeps the one that it has.
        comments: of columns, by their names in small letters, or as they are written in backticks.
        partition_by: columns by which its files are divided.
        configuration: Delta's table properties.
        not_null: columns that may not be null.
        checks: SQL that no row may make false, by name.
    """

    description: str | None = None
    comments: Mapping[str, str] = field(default_factory=dict)
    partition_by: tuple[str, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    not_null: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)

    def with_checks(self, sql: str) -> str:
        """A query with a column more for each check."""
        if not self.checks:
            return sql
        columns = [f"({check}) as `{_CHECK}{n}`" for n, check in enumerate(self.checks.values())]
        return f"select *, {', '.join(columns)} from (\n{sql}\n) as unchecked"

    def checked(self, table: str, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The rows of a query of `with_checks`, with comments; reading them fails where a promise is broken.

        Raises:
            WriteError: while reading; it names table and column or check.
        """
        kept = [f for f in rows.schema if not f.name.startswith(_CHECK)]
        schema = pa.schema([_commented(f, self.comment_of(f.name)) for f in kept])

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                self._check(table, batch)
                yield pa.RecordBatch.from_arrays(batch.select(schema.names).columns, schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def comment_of(self, column: str) -> str | None:
        """What a column is described by."""
        return self.comments.get(f"`{column}`") or self.comments.get(column.lower())

    def _check(self, table: str, batch: pa.RecordBatch) -> None:
        columns = {name.lower(): name for name in batch.schema.names}
        for name in self.not_null:
            column = columns.get(name.lower())
            if column and (count := batch.column(column).null_count):
                raise WriteError(
                    f"{table}: column {column} is null in {count} of {batch.num_rows} rows, "
                    "and its contract has the constraint not_null. Nothing was written."
                )
        for n, (name, check) in enumerate(self.checks.items()):
            if pc.any(pc.invert(batch.column(f"{_CHECK}{n}"))).as_py():
                raise WriteError(
                    f"{table}: a row breaks the constraint check {name} ({check}). Nothing was written."
                )


def _commented(column: pa.Field, comment: str | None) -> pa.Field:
    return column.with_metadata({"comment": comment}) if comment else column


def options_of(model: Mapping[str, Any]) -> Options:
    """What a dbt node says about its table."""
    config = model["config"]
    persist = config.get("persist_docs") or {}
    columns = model.get("columns") or {}
    not_null, checks = _constraints(model) if (config.get("contract") or {}).get("enforced") else ((), {})
    return Options(
        description=(model.get("description") or "") if persist.get("relation") else None,
        comments={
            f"`{name}`" if column.get("quote") else name.lower(): column["description"]
            for name, column in columns.items()
            if persist.get("columns") and column.get("description")
        },
        partition_by=tuple(as_list(config.get("partition_by"))),
        configuration={key: str(value) for key, value in (config.get("tblproperties") or {}).items()},
        not_null=not_null,
        checks=checks,
    )


def as_list(value: str | list[str] | None) -> list[str]:
    """A setting of dbt's that is one name or several."""
    return [name for name in ([value] if isinstance(value, str) else value or []) if name]


def _constraints(model: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Columns that may not be null, and checks, of a model with a contract."""
    not_null: list[str] = []
    checks: dict[str, str] = {}
    owned = [(None, constraint) for constraint in model.get("constraints") or []]
    for name, column in (model.get("columns") or {}).items():
        owned += [(name, constraint) for constraint in column.get("constraints") or []]
    for column, constraint in owned:
        if constraint["type"] == "not_null":
            not_null += [column] if column else constraint.get("columns") or []
        elif constraint["type"] == "check" and constraint.get("expression"):
            checks[constraint.get("name") or f"{len(checks) + 1}"] = constraint["expression"]
    return tuple(not_null), checks
