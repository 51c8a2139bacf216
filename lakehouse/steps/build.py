"""Building silver and gold with dbt, with a display and a summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from ingestion.contracts import read_contracts
from lakehouse.display import BuildDisplay
from lakehouse.engines.dbt import invoke
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings
from lakehouse.terminal import say

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


def of_sources(settings: Settings, target: str, sources: Sequence[str], console: Console) -> list[str]:
    """Arguments for dbt that select what depends on `sources`; none where all are meant.

    What depends on a source that was never loaded, too, is left out, and the console says so.
    """
    if not sources:
        return []
    # What depends on no source, such as the calendar, too; its tests against tables of other sources not.
    selected = ["--select", "tag:no_source", *(f"source:{source}+" for source in sources)]
    arguments = [*selected, "--indirect-selection", "buildable"]
    if absent := sorted(_never_loaded(settings, target) - {*sources}):
        say(console, f"Left out is what also needs a source without tables: {', '.join(absent)}")
        arguments += ["--exclude", *(f"source:{source}+" for source in absent)]
    return arguments


def _never_loaded(settings: Settings, target: str) -> set[str]:
    """Sources without a bronze table; on Databricks, where nobody looks, none."""
    if target == "databricks":
        return set()
    existing = settings.warehouse.folders.tables()
    return {table.source for table in read_contracts(settings.models) if table.bronze not in existing}
