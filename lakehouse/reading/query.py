"""Reading tables from their folders, without a running engine or a JVM."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dbt.adapters.lakehouse.errors import message_of
from dbt.adapters.lakehouse.sail import is_query

from lakehouse.engines.local import sail
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.rows import Rows
from lakehouse.reading.versions import REMOVED
from lakehouse.warehouse import Warehouse, did_you_mean

if TYPE_CHECKING:
    from dbt.adapters.lakehouse.sail import Sail
    from dbt.contracts.graph.manifest import Manifest

# Nothing else of dbt's language is known here, so other braces are those of the SQL.
_REF = re.compile(r"""\{\{\s*ref\(\s*(["'])(\w+)\1\s*\)\s*\}\}""")
_SOURCE = re.compile(r"""\{\{\s*source\(\s*(["'])(\w+)\1\s*,\s*(["'])(\w+)\3\s*\)\s*\}\}""")
_NO_TABLE = re.compile(r"table or view not found: (\S+)", re.IGNORECASE)
_NO_COLUMN = re.compile(r"attribute ObjectName\(\[(.+)\]\) is missing")


def read(warehouse: Warehouse, sql: str, at: str | None = None, engine: "Sail | None" = None) -> Rows:
    """Run a query; `at` is a version number or a timestamp (UTC), null the present.

    With an `engine`, which stays open, the present is read by it.

    Tables are written with schema, or as in dbt: `{{ ref('fct_sales') }}`, `{{ source('ops', 'loads') }}`.

    Raises:
        UsageError: there is no warehouse yet, the statement is no query, or `at` is no moment.
        LakehouseError: the query is wrong or a table has no such version.
    """
    tables = warehouse.tables()
    statement = with_names(sql, tables)
    if not is_query(statement):
        raise UsageError("Only queries can be run: begin with SELECT, WITH, VALUES or TABLE.")
    opened = engine or sail(warehouse, None if at is None else _moment(at))
    try:
        return Rows.of(opened.stream(statement).read_all())
    except KeyError:
        # Arrow's library for Python lacks it, and says no more than a number.
        raise LakehouseError(
            "A column has a type that cannot be read, such as an interval of months: cast it to string."
        ) from None
    except Exception as error:
        text = message(error, statement, tables)
        if at is not None and "data file is missing" in text:
            text = f"--at {at}: {REMOVED.format(at)}"
        raise LakehouseError(text) from None
    finally:
        if opened is not engine:
            opened.close()


def columns(warehouse: Warehouse, table: str) -> list[str]:
    """Names of the columns of `schema.table`."""
    return read(warehouse, f"select * from {table} limit 0").columns


def names_referred_to(sql: str) -> list[str]:
    """Names of the models that are written as in dbt, each once."""
    return list(dict.fromkeys(found[2] for found in _REF.finditer(sql)))


def sources_referred_to(sql: str) -> list[str]:
    """Tables of sources that are written as in dbt, as `source.table`, each once."""
    return list(dict.fromkeys(f"{found[2]}.{found[4]}" for found in _SOURCE.finditer(sql)))


def with_names(sql: str, tables: dict[str, str]) -> str:
    """The SQL with tables by their names, which are `schema.table`, where it has them as in dbt.

    Raises:
        LakehouseError: a table does not exist.
    """

    def model(name: str) -> str:
        for table in tables:
            if table.split(".")[1] == name:
                return table
        raise LakehouseError(f"There is no table {name}; was it built?{did_you_mean(name, tables)}")

    def source(name: str, table: str) -> str:
        written = f"{name}.{table}" if f"{name}.{table}" in tables else f"bronze.{name}_{table}"
        if written not in tables:
            raise LakehouseError(f"There is no table {name}.{table} yet.{did_you_mean(written, tables)}")
        return written

    return with_references(sql, model, source)


class Names:
    """Tables of the project as `schema.table`, whether they are built or not: `models` by name."""

    def __init__(self, manifest: "Manifest") -> None:
        kinds = ("model", "seed", "snapshot")
        nodes = [node for node in manifest.nodes.values() if node.resource_type in kinds]
        self.models = {node.name: f"{node.schema}.{node.alias}" for node in nodes}
        self._sources = {
            (source.source_name, source.name): f"{source.schema}.{source.identifier}"
            for source in manifest.sources.values()
        }

    def sql(self, sql: str, catalog: str = "") -> str:
        """A query with names of tables, behind that of a `catalog`, where it has them as in dbt."""
        return with_references(
            sql,
            lambda name: catalog + self.models[name],
            lambda source, name: catalog + self._sources[source, name],
        )


def with_references(sql: str, model: Callable[[str], str], source: Callable[[str, str], str]) -> str:
    """The SQL with what `model` and `source` make of the names that it has as in dbt."""
    models = _REF.sub(lambda found: model(found[2]), sql.removeprefix("\ufeff"))
    return _SOURCE.sub(lambda found: source(found[2], found[4]), models)


def _moment(at: str) -> str:
    """A version as it is; a time in UTC, as Sail reads it.

    Raises:
        UsageError: it is neither.
    """
    if at.isascii() and at.isdigit():
        return at
    try:
        time = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(
            f"--at {at!r} is neither a version such as 3, which `lakehouse history` lists, "
            "nor a time such as 2026-01-31 or '2026-01-31 12:00:00' (UTC)."
        ) from None
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return time.isoformat(" ")


def message(error: Exception, sql: str, tables: dict[str, str]) -> str:
    """What is said of an error of Sail's while it answered a query of these tables."""
    if column := _NO_COLUMN.search(str(error)):
        name = ".".join(re.findall('Identifier\\("(.+?)"\\)', column[1]))
        return f"No table of the query has a column {name}."
    missing = _NO_TABLE.search(str(error))
    if missing is None:
        return message_of(error).splitlines()[0]
    # The message has the name without its schema.
    written = re.search(rf"[\w`]+\s*\.\s*`?{re.escape(missing[1])}\b", sql, re.IGNORECASE)
    name = written[0].replace("`", "") if written else missing[1]
    return f"There is no table {name}.{did_you_mean(name, tables)}"
