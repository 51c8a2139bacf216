"""Which part of the project a run builds: what depends on rows that came since the last complete build."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import SourceDefinition

from ingestion.times import from_epoch_micros
from lakehouse.query import columns, read
from lakehouse.settings import PROJECT
from lakehouse.warehouse import Warehouse


@dataclass(frozen=True)
class Growth:
    """Sources that grew since the last build that ran every node without a failure, and when that was."""

    since: datetime
    tables: list[SourceDefinition]

    def __str__(self) -> str:
        names = ", ".join(f"{table.schema}.{table.identifier}" for table in self.tables)
        return f"New since the build of {self.since:%Y-%m-%d %H:%M} UTC: {names}. The rest is left as it is."

    @property
    def arguments(self) -> list[str]:
        """Arguments for dbt that select what depends on them, and all that warns, which it does each time."""
        grown = (f"source:{table.source_name}.{table.name}+" for table in self.tables)
        return ["--select", *grown, "config.severity:warn", "--vars", "{left_out_is_unchanged: true}"]


def find_growth(warehouse: Warehouse, manifest: Manifest) -> Growth | None:
    """What grew; None where all is to be built, as no complete build tells since when, or nothing grew."""
    tables = warehouse.tables()
    if not set(_relations(manifest)) <= tables.keys():
        return None
    since = _last_check(warehouse)
    if since is None or since < _project_changed_at():
        return None
    sources = [source for source in manifest.sources.values() if source.loaded_at_field]
    newest = "\nunion all\n".join(
        f"select '{source.unique_id}' as unique_id, unix_micros(max({source.loaded_at_field})) as loaded_at "
        f"from {source.schema}.{source.identifier}"
        for source in sources
    )
    grown = {unique_id for unique_id, micros in read(warehouse, newest).rows if _is_later(micros, since)}
    found = [source for source in sources if source.unique_id in grown]
    return Growth(since, found) if found else None


def _is_later(micros: int | None, moment: datetime) -> bool:
    return micros is not None and from_epoch_micros(micros) > moment


def _last_check(warehouse: Warehouse) -> datetime | None:
    """When the last complete build began (UTC), see `macros/last_check.sql`."""
    if "ops.builds" not in warehouse.tables() or "checked_project" not in columns(warehouse, "ops.builds"):
        return None
    newest = "select unix_micros(max(started_at)) from ops.builds where checked_project is not null"
    ((micros,),) = read(warehouse, newest).rows
    return None if micros is None else from_epoch_micros(micros)


def _relations(manifest: Manifest) -> Iterator[str]:
    """Tables of the project, by `schema.table`."""
    for source in manifest.sources.values():
        yield f"{source.schema}.{source.identifier}".lower()
    for node in manifest.nodes.values():
        if node.resource_type in ("model", "snapshot", "seed"):
            yield f"{node.schema}.{node.alias}".lower()


def _project_changed_at() -> datetime:
    """When a file that dbt reads was last written (UTC)."""
    folders = [PROJECT / name for name in ("macros", "models", "snapshots", "tests")]
    found = (file for folder in folders for suffix in ("sql", "yml") for file in folder.rglob(f"*.{suffix}"))
    files = [PROJECT / "dbt_project.yml", *found]
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
