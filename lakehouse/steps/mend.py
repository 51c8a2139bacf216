"""What a power cut left of the tables of a home, before something is written to them.

A commit that is empty or cut off is taken back, as if its command had been killed before: what follows makes
it anew. A bronze table of which the load log says more, and the quarantine, are left to the user.
"""

import shutil
from datetime import datetime, timedelta

from dbt.adapters.lakehouse.delta import newest
from dbt.adapters.lakehouse.log_files import Commit, broken_commit, remove_broken_checkpoint
from deltalake import DeltaTable
from rich.console import Console

from ingestion.bronze import LOADS, QUARANTINE
from ingestion.contracts import read_contracts
from ingestion.streams.tables import read_tables
from ingestion.tables.local import LocalTables
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.steps.last_build import forget_builds

_ADVICE = (
    "Restore the home from a backup, or remove what was made of its source with `lakehouse clean SOURCE`; "
    "then run `lakehouse run`."
)
# Of a time in the statistics of a file.
_PRECISION = timedelta(milliseconds=1)


def mend(settings: Settings, console: Console) -> None:
    """Take back broken commits and checkpoints of the tables in folders, and say so.

    Raises:
        LakehouseError: what a commit held is lost; the message names table and file, and says what to do.
        TableError: a checkpoint is lost, and the commits before it.
    """
    folders = {
        name: place for name, place in settings.warehouse.folders.tables().items() if "://" not in place
    }
    # Which commits of bronze are known is asked of the load log.
    for name in sorted(folders, key=lambda name: name != LOADS):
        location = folders[name]
        if remove_broken_checkpoint(location):
            console.print(f"{name}: its newest checkpoint was cut off, and is left out")
        if commit := broken_commit(location):
            _take_back(settings, name, location, commit)
            console.print(f"{name}: its newest commit was cut off, and is made anew")


def _take_back(settings: Settings, name: str, location: str, commit: Commit) -> None:
    if name == QUARANTINE or (name.startswith("bronze.") and _is_missed(settings, name, location, commit)):
        raise LakehouseError(
            f"{name}: its newest commit, {commit.file}, is empty or cut off, as a power cut leaves it, "
            f"and what it held is lost. {_ADVICE}"
        )
    forget_builds(settings)
    if name in {table.silver for table in read_tables(settings.models).values()}:
        # Streams know only of all their tables together what they took. One that is gone has them start over.
        commit.file.parent.rename(commit.file.parent.with_name("_lost"))
        shutil.rmtree(location)
    else:
        commit.file.unlink()


def _is_missed(settings: Settings, name: str, location: str, commit: Commit) -> bool:
    """Whether the load log has rows of a bronze table that it held after the commits before."""
    tables = LocalTables(settings.warehouse.folders)
    if not tables.exists(LOADS):
        return False
    labels = [table.label for table in read_contracts(settings.models) if table.bronze == name]
    logged: datetime | None = tables.select(
        LOADS,
        "select max(_ingested_at) as newest from {t} where status = 'loaded' and rows_loaded > 0 "
        f"and source || '.' || table_name in ('{''.join(labels)}')",
    )["newest"][0].as_py()
    if logged is None:
        return False
    if commit.version == 0:
        return True
    held = newest(DeltaTable(location, version=commit.version - 1), "_ingested_at")
    return held is None or held + _PRECISION < logged
