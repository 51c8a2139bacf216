"""Refuses SQL that Sail and Spark answer differently: `python -m tools.check_sql`.

dbt renders every model, snapshot, test and analysis in an empty home, first as it is built from nothing and
then as it is built on what is there. So macros are checked where they are used, and columns have types.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dbt.adapters.lakehouse.folders import Folders
from deltalake import DeltaTable

from ingestion.bronze.batch import bronze_schema
from ingestion.bronze.load_log import LOADS, LOADS_SCHEMA, QUARANTINE, QUARANTINE_SCHEMA
from ingestion.contracts import read_contracts
from ingestion.streams.tables import read_tables
from lakehouse.engines.dbt import invoke
from lakehouse.settings import Settings, load_settings
from tools.dialect import Schema, differences

_NAME = "lakehouse"
_SPARK_TYPES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}


def main() -> int:
    """Check the whole project; 1 when something is refused, else 0."""
    with TemporaryDirectory(prefix="lakehouse-sql-") as home:
        refused = check(Path(home))
    print(*refused, sep="\n", end="\n" if refused else "")
    return bool(refused)


def check(home: Path) -> list[str]:
    """What is refused in the project's SQL: file, expression and what to use instead.

    Raises:
        RuntimeError: dbt cannot build the project.
    """
    folders = Folders(home / "warehouse")
    settings = load_settings(LAKEHOUSE_HOME=str(home), LAKEHOUSE_BRONZE=folders.schema("bronze"))
    make_sources(folders, settings.models)
    refused: list[str] = []
    for _ in range(2):
        _dbt(settings, "build", "--empty", "--exclude-resource-types", "unit_test")
        refused += refusals(home / "target" / "run" / _NAME, folders)
    _dbt(settings, "compile", "--select", "resource_type:analysis")
    refused += refusals(home / "target" / "compiled" / _NAME, folders, "analyses/**/*.sql")
    return list(dict.fromkeys(refused))


def make_sources(folders: Folders, models: Path) -> None:
    """Empty tables for all sources that dbt reads."""
    tables = {table.bronze: bronze_schema(table) for table in read_contracts(models)}
    tables |= {table.silver: table.columns for table in read_tables(models).values()}
    tables |= {LOADS: LOADS_SCHEMA, QUARANTINE: QUARANTINE_SCHEMA}
    for name, columns in tables.items():
        DeltaTable.create(folders.location(*name.split(".")), columns)


def _dbt(settings: Settings, *arguments: str) -> None:
    result = invoke(settings, [*arguments, "--target", "local"])
    if not result.success:
        nodes: Sequence[object] = getattr(result.result, "results", [])
        failed = [
            str(getattr(node, "message", "")) for node in nodes if str(getattr(node, "status", "")) == "error"
        ]
        raise RuntimeError(f"dbt {arguments[0]} failed: {result.exception or '; '.join(failed)}")


def refusals(rendered: Path, folders: Folders, pattern: str = "**/*.sql") -> Iterator[str]:
    """What is refused in the SQL files of a folder; columns have the types of the tables in `folders`."""
    schema = _schema(folders)
    for file in sorted(rendered.glob(pattern)):
        name, sql = file.relative_to(rendered), file.read_text()
        # Nothing is run for a table that Python writes.
        if not sql.strip():
            continue
        try:
            found = [str(difference) for difference in differences(sql, schema)]
        except ValueError as error:
            found = [f"cannot be parsed, so it cannot be checked: {error}"]
        yield from (f"{name}: {each}" for each in found)


def _schema(folders: Folders) -> Schema:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, location in folders.tables().items():
        database, table = name.split(".")
        columns = {
            field.name: str(getattr(field.type, "type", field.type))
            for field in DeltaTable(location).schema().fields
        }
        types = {column: _SPARK_TYPES.get(kind, kind) for column, kind in columns.items()}
        schema.setdefault(database, {})[table] = types
    return schema


if __name__ == "__main__":
    sys.exit(main())
