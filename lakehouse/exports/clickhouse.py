"""Gold as views of ClickHouse on the folders of the tables."""

from collections.abc import Callable

from lakehouse.semantics.gold import Gold

_HEAD = "-- A server reads folders below its user_files_path, chDB those below the working directory."


def views(gold: Gold, location: Callable[[str, str], str]) -> str:
    """Statements that make a database for each schema, and a view for each table at its `location`."""
    schemas = sorted({table.schema for table in gold.tables.values()})
    statements = [f"create database if not exists {_name(schema)};" for schema in schemas]
    statements += [
        f"create or replace view {_name(table.schema)}.{_name(table.name)} as\n"
        f"select * from deltaLakeLocal({_text(location(table.schema, table.name))})\n"
        f"comment {_text(table.description)};"
        for table in gold.tables.values()
    ]
    return "\n\n".join([_HEAD, *statements]) + "\n"


def _name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
