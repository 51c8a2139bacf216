"""When a contract changes: what differs from the bronze table, and taking it over."""

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
from dbt.adapters.lakehouse.arrow import spark_type

from ingestion.bronze.batch import bronze_schema
from ingestion.bronze.conform import conform
from ingestion.contracts import METADATA_COLUMNS, SourceTable
from ingestion.readers import EXTRA, UNPARSED
from ingestion.tables import Tables


def differences(tables: Tables, table: SourceTable) -> list[str]:
    """What differs between an existing bronze table and its contract, a line per column."""
    stored = {field.name: spark_type(field.type) for field in tables.schema(table.bronze)}
    declared = {field.name: spark_type(field.type) for field in bronze_schema(table)}
    lines = []
    for name in [*stored, *(name for name in declared if name not in stored)]:
        before, after = stored.get(name), declared.get(name)
        if after is None:
            lines.append(f"column {name} is no longer in the contract")
        elif before is None:
            lines.append(f"column {name} ({after}) is new in the contract")
        elif before != after:
            lines.append(f"column {name} is {before} in the table and {after} in the contract")
    return lines


def has_changed(tables: Tables, table: SourceTable) -> bool:
    """Whether a contract differs from its bronze table, where there is one."""
    return tables.exists(table.bronze) and bool(differences(tables, table))


def overwrite_changed(tables: Tables, contracts: Sequence[SourceTable]) -> dict[str, list[str]]:
    """Give bronze tables the schema of their contracts; returns the differences by table.

    Values that the new types do not take, and those of columns that are gone, move to `_rescued_data`;
    values that were rescued are tried again. Earlier versions of the table stay readable.
    """
    changed = {}
    for table in contracts:
        if tables.exists(table.bronze) and (lines := differences(tables, table)):
            stored = tables.select(table.bronze, "select * from {t}")
            rows = pa.Table.from_batches(_conformed(stored, table), bronze_schema(table))
            tables.overwrite(table.bronze, rows, table.arrives.partitioned_by)
            changed[table.label] = lines
    return changed


def _conformed(stored: pa.Table, table: SourceTable) -> Iterator[pa.RecordBatch]:
    """Rows as text, typed anew."""
    schema = bronze_schema(table)
    for batch in stored.to_batches():
        records = pa.RecordBatch.from_pylist(
            [_record(row, table) for row in batch.to_pylist(maps_as_pydicts="lossy")], _raw_schema(table)
        )
        typed = conform(records, table)
        kept = [name for name in METADATA_COLUMNS if name != "_rescued_data"]
        columns = [(batch if name in kept else typed).column(name) for name in schema.names]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _raw_schema(table: SourceTable) -> pa.Schema:
    texts = [(column.name, pa.string()) for column in table.columns]
    return pa.schema([*texts, (EXTRA, pa.map_(pa.string(), pa.string())), (UNPARSED, pa.string())])


def _record(row: dict[str, object], table: SourceTable) -> dict[str, object]:
    """A stored row as its reader gave it: texts, and those under names that are not declared."""
    rescued = json.loads(str(row["_rescued_data"] or "{}"))
    computed = {column.name for column in table.declared if column.computed_from}
    texts = {name: _text(value) for name, value in row.items() if name not in {*METADATA_COLUMNS, *computed}}
    record: dict[str, object] = {}
    for column in table.columns:
        text = texts.pop(column.name, None)
        for name in (column.name, column.header):
            text = rescued.pop(name, None) if text is None else text
        record[column.name] = text
    gone = {name: text for name, text in texts.items() if text is not None}
    return record | {EXTRA: list((rescued | gone).items()) or None, UNPARSED: None}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
