"""Where the tables are: each a Delta folder, found without a running engine."""

from dataclasses import dataclass
from pathlib import Path

from ingestion import s3
from lakehouse.errors import UsageError


@dataclass(frozen=True)
class Warehouse:
    """Tables at `<root>/<schema>.db/<table>`; those of bronze may be at `bronze`, a folder or `s3://...`."""

    root: Path
    bronze: str | None = None

    def tables(self) -> dict[str, str]:
        """Folder or address of every table, by `schema.table`.

        Raises:
            UsageError: there are none yet.
        """
        found = {
            f"{log.parent.parent.name.removesuffix('.db')}.{log.parent.name}": str(log.parent)
            for log in self.root.glob("*.db/*/_delta_log")
        }
        if self.bronze and self.bronze != str(self.root / "bronze.db"):
            found |= {f"bronze.{folder.rsplit('/', 1)[1]}": folder for folder in _folders(self.bronze)}
        if not found:
            raise UsageError(f"There are no tables in {self.root} yet: run `lakehouse run` first.")
        return dict(sorted(found.items()))

    @property
    def schemas(self) -> set[str]:
        """Schemas in which tables may be."""
        return {"bronze"} | {folder.name.removesuffix(".db") for folder in self.root.glob("*.db")}

    def find(self, name: str) -> tuple[str, str]:
        """`schema.table` and folder of a table given with or without its schema.

        Raises:
            UsageError: there is none, or there are several.
        """
        tables = self.tables()
        found = [table for table in tables if name in (table, table.split(".")[1])]
        if not found:
            raise UsageError(f"There is no table {name}.\nTables: {', '.join(tables)}")
        if len(found) > 1:
            raise UsageError(f"{name} is in several schemas; give one of {', '.join(found)}.")
        return found[0], tables[found[0]]


def _folders(place: str) -> list[str]:
    if place.startswith(s3.SCHEME):
        return s3.list_folders(place)
    return [str(log.parent) for log in Path(place).glob("*/_delta_log")]
