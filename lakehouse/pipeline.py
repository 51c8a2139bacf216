"""Loading and building in one go."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from ingestion.contracts import SourceTable
from lakehouse.building import build_models, of_sources
from lakehouse.engines.dbt import read_project
from lakehouse.loading import load_bronze
from lakehouse.settings import Settings


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
        # dbt takes seconds to read the project, in which files can be loaded.
        reading = pool.submit(read_project, target)
        summary = load_bronze(settings, tables, console, overwrite_schema)
        manifest = reading.result()
    arguments = ["--target", target, *of_sources(sources)]
    if summary.schema_changed:
        arguments.append("--full-refresh")
    build_models(arguments, console, manifest)
    summary.raise_for_refused()
