"""Removing what was made of a source, and nothing else."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.bronze import LOADS, QUARANTINE
from ingestion.contracts import SourceTable
from ingestion.landing import s3
from ingestion.tables.local import LocalTables
from lakehouse.engines.dbt import read_project, tables_of_source
from lakehouse.settings import Settings
from lakehouse.steps.extract import EXTRACTS
from lakehouse.steps.last_build import forget_builds


@dataclass(frozen=True)
class Traces:
    """What a source left: tables with their folders by `schema.name`, and folders of checkpoints."""

    source: str
    tables: dict[str, str]
    folders: Sequence[Path]


def find_traces(settings: Settings, tables: Sequence[SourceTable]) -> Traces:
    """What exists of the one source that has `tables`.

    These are its bronze and streamed tables, what is built of them and of no other source, and the
    checkpoints. Files in the landing zone, with how far they were extracted, and tables that sources share
    stay.
    """
    source = tables[0].source
    names = tables_of_source(read_project(settings, "local"), source)
    places = settings.warehouse.folders
    # A table that was only begun is one of them, too.
    begun = [name for name in sorted(names) if places.is_begun(*name.split("."))]
    folders = [folder for table in tables for folder in settings.checkpoints.glob(f"*/{table.identifier}")]
    return Traces(source, {name: places.location(*name.split(".")) for name in begun}, sorted(folders))


def remove(settings: Settings, traces: Traces) -> None:
    """Remove tables with their folders, checkpoints, and the source's rows in `ops`.

    Where this is killed, a load says that tables are gone which the load log knows; cleaning again ends it.
    """
    forget_builds(settings)
    for location in (*traces.tables.values(), *map(str, traces.folders)):
        _delete(location)
    tables = LocalTables(settings.warehouse.folders)
    for name in ("ops.row_accounting", QUARANTINE, EXTRACTS, LOADS):
        if tables.exists(name):
            tables.delete(name, f"source = '{traces.source}'")


def _delete(location: str) -> None:
    if location.startswith(s3.SCHEME):
        s3.delete_objects(f"{location}/")
        return
    # A table is there or gone, never half: of its log, what is left would be read as an earlier version.
    log = Path(location) / "_delta_log"
    if log.exists():
        log.rename(log.with_name("_removed_log"))
    shutil.rmtree(location, ignore_errors=True)
