"""Looking after tables: small files are joined, and files that no kept version needs are removed."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dbt.adapters.lakehouse.delta import open_table
from dbt.adapters.lakehouse.errors import TableError
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from rich.console import Console
from rich.filesize import decimal

from ingestion.landing import s3
from lakehouse.engines.dbt import invoke
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings
from lakehouse.terminal import narrow_table, say

# Longer than anybody reads or writes a version.
SAFE_DAYS = 7
_PERIOD = re.compile(r"(\d+)([dh])")
_UNITS = {"d": "days", "h": "hours"}


def retention(text: str, force: bool) -> timedelta:
    """How long files of earlier versions are kept, of a text such as `7d` or `240h`.

    Raises:
        UsageError: it is no such text, or less than `SAFE_DAYS` without `force`.
    """
    found = _PERIOD.fullmatch(text)
    if not found:
        raise UsageError(f"--retain '{text}' is no period: write it as 7d or 240h.")
    kept = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if kept < timedelta(days=SAFE_DAYS) and not force:
        raise UsageError(
            f"--retain {text} is less than {SAFE_DAYS}d: others who read or write may still need the files. "
            "End whatever uses the tables, then add --force."
        )
    return kept


@dataclass(frozen=True)
class Maintained:
    """What became of the files of a table: data files of its present version, removed ones, their bytes."""

    name: str
    files_before: int
    files: int
    removed: int
    freed: int

    @property
    def changed(self) -> bool:
        """Whether there was something to do."""
        return self.removed > 0 or self.files != self.files_before


def maintain(settings: Settings, kept: timedelta, console: Console) -> None:
    """Maintain every table in folders or object storage, and show what was done.

    Raises:
        LakehouseError: tables are damaged; the others were maintained.
    """
    done: list[Maintained] = []
    damaged: list[str] = []
    for name, location in settings.warehouse.tables().items():
        try:
            done.append(_maintain(name, location, kept))
        except TableError as error:
            damaged.append(str(error))
    _show(done, console)
    if damaged:
        raise LakehouseError("\n".join(["These tables were left as they are:", *damaged]))


def _maintain(name: str, location: str, kept: timedelta) -> Maintained:
    before = _count(open_table(location))
    # Who writes meanwhile, such as plain dbt, comes first: the files are joined the next time.
    with suppress(CommitFailedError):
        open_table(location).optimize.compact()
    table = open_table(location)
    removed = _vacuum(table, location, kept)
    return Maintained(name, before, _count(table), len(removed), sum(removed))


def _vacuum(table: DeltaTable, location: str, kept: timedelta) -> list[int]:
    """Remove files that no version of the time `kept` has; their sizes in bytes."""
    hours = int(kept.total_seconds() // 3600)
    # What a killed writer left is in no version, and only a full look finds it.
    options: dict[str, Any] = {"enforce_retention_duration": False, "full": True}
    # The log goes on naming files that are removed, and each removal adds two versions to it.
    found = [name.removeprefix(f"{location}/") for name in table.vacuum(hours, dry_run=True, **options)]
    names = {*found, *map(unquote, found)}
    sizes = [size for name, size in _stored(location) if name in names]
    if sizes:
        table.vacuum(hours, dry_run=False, **options)
    return sizes


def _stored(location: str) -> Iterator[tuple[str, int]]:
    """Names below a folder or address, and bytes, of all files that are there."""
    if location.startswith(s3.SCHEME):
        for found in s3.list_objects(f"{location}/"):
            yield found.uri.removeprefix(f"{location}/"), found.size
        return
    for file in Path(location).rglob("*"):
        if file.is_file():
            yield file.relative_to(location).as_posix(), file.stat().st_size


def _count(table: DeltaTable) -> int:
    return len(table.file_uris())


def _show(done: Sequence[Maintained], console: Console) -> None:
    if changed := [table for table in done if table.changed]:
        shown = narrow_table("Maintained")
        shown.add_column("table")
        for title in ("files before", "files", "removed", "freed"):
            shown.add_column(title, justify="right")
        for table in changed:
            counts = (table.files_before, table.files, table.removed)
            shown.add_row(table.name, *(f"{count:,}" for count in counts), decimal(table.freed))
        console.print(shown)
    freed = decimal(sum(table.freed for table in done))
    console.print(f"{len(done)} tables looked after, {len(changed)} changed, {freed} freed.")


def maintain_on_databricks(settings: Settings, kept: timedelta, console: Console) -> None:
    """Have the macro `maintain` optimize, vacuum and analyze every table of the project.

    Raises:
        LakehouseError: a statement failed.
    """
    reasons: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "JinjaLogInfo":
            say(console, event.info.msg)
        elif event.info.name.startswith("RunningOperation"):
            reasons.append(event.data.exc)

    hours = json.dumps({"retain_hours": int(kept.total_seconds() // 3600)})
    result = invoke(settings, ["run-operation", "maintain", "--args", hours, "--target", "databricks"], hear)
    if not result.success:
        raise LakehouseError(f"dbt: {result.exception or '; '.join(reasons)}")
