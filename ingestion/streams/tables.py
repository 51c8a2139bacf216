"""The silver tables of the streams: the models that dbt's YAML says `lakehouse load` writes."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import yaml

from ingestion.bronze.values import arrow_type

UPDATED_AT = "_updated_at"

# `config.meta.written_by` of the models.
_WRITTEN_BY = "lakehouse load"

# Each batch is a commit to each table: with as many commits between checkpoints of their logs, all of them
# would write theirs in one batch.
_FEWEST_COMMITS = 20


@dataclass(frozen=True)
class StreamTable:
    """A silver table: name without schema, columns with their comments, columns that identify a row.

    Who writes it holds its lock, as queries that run side by side may write the same table. `place` is its
    number among the tables.
    """

    name: str
    columns: pa.Schema
    keys: tuple[str, ...]
    place: int = 0
    lock: Lock = field(default_factory=Lock, compare=False, repr=False)

    @property
    def silver(self) -> str:
        """The table's name with its schema."""
        return f"silver.{self.name}"

    @property
    def values(self) -> tuple[str, ...]:
        """Columns that say something about the key."""
        return tuple(name for name in self.columns.names if name not in {*self.keys, UPDATED_AT})

    @property
    def properties(self) -> dict[str, str]:
        """Delta's properties of the table."""
        # Rows are looked for by when they happened and by when they were written.
        times = [column.name for column in self.columns if pa.types.is_timestamp(column.type)]
        return {
            "delta.dataSkippingStatsColumns": ",".join(times),
            "delta.checkpointInterval": str(_FEWEST_COMMITS + 3 * self.place),
        }


def read_tables(models: Path) -> dict[str, StreamTable]:
    """Streamed tables declared below the folder `models`, by name."""
    declared = [yaml.safe_load(file.read_text("utf-8")) for file in sorted(models.rglob("_*__models.yml"))]
    tables = [model for file in declared for model in file["models"] if _is_streamed(model)]
    return {table["name"]: _read_table(place, table) for place, table in enumerate(tables)}


def _is_streamed(model: dict[str, Any]) -> bool:
    return bool(model.get("config", {}).get("meta", {}).get("written_by") == _WRITTEN_BY)


def _read_table(place: int, table: dict[str, Any]) -> StreamTable:
    return StreamTable(
        name=table["name"],
        columns=pa.schema([_read_column(**column) for column in table["columns"]]),
        keys=tuple(table["config"]["meta"]["keys"]),
        place=place,
    )


def _read_column(name: str, data_type: str, description: str, **_: object) -> pa.Field:
    return pa.field(name, arrow_type(data_type), metadata={"comment": description})
