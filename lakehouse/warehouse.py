"""Where the tables are: each a Delta folder, found without a running engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dbt.adapters.lakehouse.folders import Folders

from lakehouse.errors import UsageError


@dataclass(frozen=True)
class Warehouse:
    """Tables at `<root>/<schema>.db/<table>`; those of bronze may be at `bronze`, a folder or `s3://...`."""

    root: Path
    bronze: str | None = None

    @property
    def folders(self) -> Folders:
        """The folders as the engine sees them."""
        inside = self.bronze is None or self.bronze == str(self.root / "bronze.db")
        return Folders(self.root, {} if inside else {"bronze": self.bronze or ""})

    def tables(self) -> dict[str, str]:
        """Folder or address of every table, by `schema.table`.

        Raises:
            UsageError: there are none yet.
        """
        if tables := self.folders.tables():
            return tables
        raise UsageError(f"There are no tables in {self.root} yet: run `lakehouse run` first.")

    def find(self, name: str) -> tuple[str, str]:
        """`schema.table` and folder of a table given with or without its schema.

        Raises:
            UsageError: there is none, or there are several.
        """
        tables = self.tables()
        found = [table for table in tables if name in (table, table.split(".")[1])]
        if not found:
            raise UsageError(f"There is no table {name}.{did_you_mean(name, tables)}")
        if len(found) > 1:
            raise UsageError(f"{name} is in several schemas; give one of {', '.join(found)}.")
        return found[0], tables[found[0]]


def did_you_mean(name: str, tables: Iterable[str]) -> str:
    """What to add to an error: tables (`schema.table`) called nearly so, else those of the schema."""
    by_name: dict[str, list[str]] = {}
    for table in tables:
        by_name.setdefault(table.split(".")[1], []).append(table)
    near = get_close_matches(name.split(".")[-1].lower(), by_name)
    found = [table for close in near for table in by_name[close]]
    if found:
        return f" Did you mean {' or '.join(found)}?"
    schema = [table for table in tables if table.startswith(f"{name.split('.')[0]}.")]
    return f"\nTables: {', '.join(schema or tables)}"
