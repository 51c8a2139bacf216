"""The silver tables of the streams, as `models/silver/<source>/_<source>__streams.yml` declares them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import yaml
from pyspark.sql import SparkSession

UPDATED_AT = "_updated_at"

# Each batch is a commit to each table: with as many commits between checkpoints of their logs, all of them
# would write theirs in one batch.
_FEWEST_COMMITS = 40


@dataclass(frozen=True)
class StreamTable:
    """A silver table: name without schema, DDL of the columns by name, columns that identify a row.

    Who writes it holds its lock, as queries that run side by side may write the same table.
    """

    name: str
    columns: dict[str, str]
    keys: tuple[str, ...]
    lock: Lock = field(default_factory=Lock, compare=False, repr=False)

    @property
    def silver(self) -> str:
        """The table's name with its schema."""
        return f"silver.{self.name}"

    @property
    def values(self) -> tuple[str, ...]:
        """Columns that say something about the key."""
        return tuple(name for name in self.columns if name not in {*self.keys, UPDATED_AT})


def read_tables(models: Path) -> dict[str, StreamTable]:
    """Silver tables declared below the folder `models`, by name."""
    declared = [yaml.safe_load(file.read_text()) for file in sorted(models.rglob("_*__streams.yml"))]
    tables = [table for file in declared for source in file["sources"] for table in source["tables"]]
    return {table["name"]: _read_table(table) for table in tables}


def create_tables(spark: SparkSession, tables: Iterable[StreamTable]) -> set[str]:
    """Create the tables that are missing; returns their names."""
    spark.sql("create schema if not exists silver")
    missing = set()
    for place, table in enumerate(tables):
        if not spark.catalog.tableExists(table.silver):
            spark.sql(_ddl(table, _FEWEST_COMMITS + 3 * place))
            missing.add(table.name)
    return missing


def _ddl(table: StreamTable, commits: int) -> str:
    # Rows are looked for by when they happened and by when they were written.
    times = ", ".join(name for name, ddl in table.columns.items() if ddl.split()[1] == "timestamp")
    properties = f"'delta.dataSkippingStatsColumns' = '{times}', 'delta.checkpointInterval' = '{commits}'"
    columns = ", ".join(table.columns.values())
    return f"create table {table.silver} ({columns}) using delta tblproperties ({properties})"


def _read_table(table: dict[str, object]) -> StreamTable:
    columns, config = table["columns"], table["config"]
    assert isinstance(columns, list) and isinstance(config, dict)
    return StreamTable(
        name=str(table["name"]),
        columns={column["name"]: _column_ddl(**column) for column in columns},
        keys=tuple(config["meta"]["keys"]),
    )


def _column_ddl(name: str, data_type: str, description: str, **_: object) -> str:
    comment = description.replace("'", "\\'")
    return f"`{name}` {data_type} comment '{comment}'"
