"""What files and topics share: a batch is committed to quarantine and bronze, and then to the load log.

The commit to bronze carries its rows of the load log. So a load that was killed before the log was written
is found again, and `recover` writes what is missing.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.bronze.conform import arrow_type, conform
from ingestion.bronze.load_log import QUARANTINE, QUARANTINE_SCHEMA, FileLoad, History, record
from ingestion.contracts import METADATA_COLUMNS, SourceTable
from ingestion.readers import UNPARSED
from ingestion.tables import Tables


def new_batch_id() -> str:
    """An id that no other batch has."""
    return str(uuid.uuid4())


def bronze_schema(table: SourceTable) -> pa.Schema:
    """Columns of the bronze table, with their descriptions as metadata `comment`."""
    declared = [
        pa.field(column.name, arrow_type(column.data_type), metadata={"comment": column.description})
        for column in table.declared
    ]
    return pa.schema(
        [*declared, *(pa.field(name, arrow_type(kind)) for name, kind in METADATA_COLUMNS.items())]
    )


@dataclass(frozen=True)
class Origin:
    """Where records come from, and the batch they belong to."""

    path: str
    ingested_at: datetime
    batch_id: str


def rows_of(
    table: SourceTable, records: Iterator[pa.RecordBatch], origin: Origin
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Rows of bronze, and rows of the quarantine, of batches of records as a reader gives them.

    A record without its key is in both: bronze keeps all that can be parsed.
    """
    for batch in records:
        typed = conform(batch, table)
        unparsed = typed.column(UNPARSED)
        yield _bronze_rows(typed.filter(pc.is_null(unparsed)), table, origin), _rejects(typed, table, origin)


def _bronze_rows(typed: pa.RecordBatch, table: SourceTable, origin: Origin) -> pa.RecordBatch:
    schema = bronze_schema(table)
    constants = {
        "_source_file": origin.path,
        "_ingested_at": origin.ingested_at,
        "_batch_id": origin.batch_id,
    }
    columns = [
        pa.repeat(pa.scalar(constants[field.name], field.type), typed.num_rows)
        if field.name in constants
        else typed.column(field.name)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _rejects(typed: pa.RecordBatch, table: SourceTable, origin: Origin) -> pa.RecordBatch:
    rejected = pc.is_valid(typed.column(UNPARSED))
    for key in table.arrives.keys:
        rejected = pc.or_(rejected, pc.is_null(typed.column(key)))
    keyless = f"the key is missing: {' or '.join(table.arrives.keys)} is null"
    names = [*(column.name for column in table.columns), "_rescued_data"]
    rows = [
        {
            "source": table.source,
            "table_name": table.name,
            "_source_file": origin.path,
            "reason": keyless if row[UNPARSED] is None else "the record cannot be parsed",
            "record": _as_json(row, names) if row[UNPARSED] is None else row[UNPARSED],
            "_ingested_at": origin.ingested_at,
            "_batch_id": origin.batch_id,
        }
        for row in typed.filter(rejected).to_pylist()
    ]
    return pa.RecordBatch.from_pylist(rows, schema=QUARANTINE_SCHEMA)


def _as_json(row: dict[str, object], names: Sequence[str]) -> str:
    present = {name: row[name] for name in names if row[name] is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"), default=str)


def as_metadata(loads: Sequence[FileLoad]) -> str:
    """Rows of the load log as text that a commit keeps."""
    rows = [load.as_json() for load in loads]
    return json.dumps({"loads": rows})


def recover(tables: Tables, table: SourceTable, history: History) -> list[FileLoad]:
    """Log what a load that was killed committed to bronze, and remove what it only put into quarantine."""
    recovered = log(tables, table, history, _unlogged(tables, table, history))
    _remove_orphans(tables, table, history)
    return recovered


def log(tables: Tables, table: SourceTable, history: History, loads: Sequence[FileLoad]) -> list[FileLoad]:
    """Write loads of one batch to the load log, with the rows that bronze and quarantine hold of each."""
    counted = _with_counts(tables, table, loads)
    if counted:
        record(tables, counted)
    for load in counted:
        history.add(load)
    return counted


def _unlogged(tables: Tables, table: SourceTable, history: History) -> list[FileLoad]:
    """The loads of the newest commit to bronze, as it was begun, where the log lacks them."""
    metadata = tables.commit_metadata(table.bronze)
    rows = json.loads(metadata)["loads"] if metadata else []
    loads = [FileLoad.from_json(row) for row in rows]
    return [load for load in loads if load.batch_id not in history.batch_ids]


def _with_counts(tables: Tables, table: SourceTable, loads: Sequence[FileLoad]) -> list[FileLoad]:
    if not any(load.status == "loaded" for load in loads):
        return list(loads)
    batch = f"_batch_id = '{loads[0].batch_id}'"
    # Files of earlier loads are left out by their statistics.
    since = min(load.ingested_at for load in loads).isoformat()
    loaded = tables.select(
        table.bronze,
        "select _source_file, count(*) as loaded, count(_rescued_data) as rescued from {t} "
        f"where _ingested_at >= timestamp '{since}' and {batch} group by _source_file",
    )
    quarantined = tables.select(
        QUARANTINE,
        "select _source_file, count(record) as quarantined from {t} "
        f"where _ingested_at >= timestamp '{since}' and {batch} group by _source_file",
    )
    counts = {row["_source_file"]: row for row in loaded.to_pylist()}
    rejects = {row["_source_file"]: row["quarantined"] for row in quarantined.to_pylist()}
    nothing = {"loaded": 0, "rescued": 0}
    return [
        replace(
            load,
            rows_loaded=counts.get(load.path, nothing)["loaded"],
            rows_rescued=counts.get(load.path, nothing)["rescued"],
            rows_quarantined=rejects.get(load.path, 0),
        )
        for load in loads
    ]


def _remove_orphans(tables: Tables, table: SourceTable, history: History) -> None:
    """Remove what a batch put into quarantine that was killed before it came to bronze."""
    of_table = f"source = '{table.source}' and table_name = '{table.name}'"
    rows = tables.select(QUARANTINE, f"select distinct _batch_id from {{t}} where {of_table}")
    batches = (batch for batch in rows["_batch_id"].to_pylist() if not batch.startswith("silver-"))
    if orphans := [batch for batch in batches if batch not in history.batch_ids]:
        listed = ", ".join(f"'{batch}'" for batch in orphans)
        tables.delete(QUARANTINE, f"{of_table} and _batch_id in ({listed})")
