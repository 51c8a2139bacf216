"""Building silver and gold with dbt, with a display and a summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from ingestion import bronze
from ingestion.contracts import read_contracts
from lakehouse.display import BuildDisplay
from lakehouse.engines.dbt import invoke, needed_by_sources, tables_built
from lakehouse.engines.local import tables_and_discovery
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_FAILED = (
    "Models or tests failed; tables that depend on them were left as they were. "
    "`lakehouse status` shows the failed rows."
)


@dataclass(frozen=True)
class Outcome:
    """How many nodes a build ran, and whether all of them went well."""

    nodes: int
    success: bool

    @property
    def problem(self) -> str:
        """What to say where a model or test failed, else nothing."""
        return "" if self.success else _FAILED


def build(
    settings: Settings, arguments: Sequence[str], console: Console, manifest: "Manifest | None" = None
) -> Outcome:
    """`dbt build` with its own arguments.

    Raises:
        UsageError: dbt does not understand the arguments or the project.
        LakehouseError: what dbt does before or after the models failed.
    """
    with BuildDisplay(console) as display:
        result = invoke(settings, ["build", *arguments], display.update, manifest)
    if result.exception is not None:
        from dbt_common.exceptions import DbtDatabaseError

        kind = LakehouseError if isinstance(result.exception, DbtDatabaseError) else UsageError
        raise kind(f"dbt: {result.exception}")
    display.summarize(result)
    return Outcome(len(getattr(result.result, "results", [])), result.success)


def of_sources(
    settings: Settings, target: str, sources: Sequence[str], manifest: "Manifest | None"
) -> list[str]:
    """Arguments for dbt that select what depends on `sources`, and what that needs and is not there.

    None where all sources are meant. Bronze tables of other sources that are needed are made, without rows.
    """
    if not sources:
        return []
    # What depends on no source, such as the calendar, too; its tests against tables of other sources not.
    selected = ["--select", "tag:no_source", *(f"source:{source}+" for source in sources)]
    # On Databricks nobody looks what is there.
    if manifest and target != "databricks":
        selected += _needed_and_missing(settings, manifest, sources)
    return [*selected, "--indirect-selection", "buildable"]


def _needed_and_missing(settings: Settings, manifest: "Manifest", sources: Sequence[str]) -> list[str]:
    needed = needed_by_sources(manifest, sources)
    tables = {manifest.sources[id].identifier for id in needed if id in manifest.sources}
    contracts = [table for table in read_contracts(settings.models) if table.identifier in tables]
    bronze.create_missing(tables_and_discovery(settings)[0], contracts)
    existing, built = settings.warehouse.tables(), tables_built(manifest).items()
    return [manifest.nodes[id].name for name, id in built if id in needed and name not in existing]
