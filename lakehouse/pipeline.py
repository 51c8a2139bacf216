"""Loading and building in one go."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rich.console import Console

from ingestion.contracts import SourceTable
from lakehouse.loading import load_bronze
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def run_all(
    settings: Settings,
    tables: Sequence[SourceTable],
    target: str,
    sources: Sequence[str],
    console: Console,
    overwrite_schema: bool = False,
) -> None:
    """Load `tables`, then build what depends on them; a refused file fails the run at its end."""
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read_project, target)
        summary = load_bronze(settings, tables, console, overwrite_schema)
        manifest = reading.result()

    from lakehouse.building import build_models, of_sources
    from lakehouse.selection import find_growth

    arguments = ["--target", target]
    if summary.schema_changed:
        arguments.append("--full-refresh")
    if sources:
        arguments += of_sources(sources)
    elif (
        target == "local"
        and not summary.schema_changed
        and (growth := find_growth(settings.warehouse, manifest))
    ):
        console.print(str(growth), highlight=False, soft_wrap=True)
        arguments += growth.arguments
    build_models(arguments, console, manifest)
    summary.raise_for_refused()


def _read_project(target: str) -> "Manifest":
    # Importing dbt takes seconds, in which Spark can start.
    from lakehouse.building import read_project

    return read_project(target)
