"""Extracting, loading, building and checking in one go: what is new, and what depends on it."""

from collections.abc import Sequence

from rich.console import Console

from ingestion.connectors.extract import Request
from ingestion.contracts import SourceTable
from ingestion.threads import threads
from lakehouse.engines.dbt import read_project
from lakehouse.errors import raise_for
from lakehouse.settings import Settings
from lakehouse.steps.build import build, of_sources
from lakehouse.steps.check import check, watch
from lakehouse.steps.extract import ExtractSummary, extract, streams_configured
from lakehouse.steps.last_build import LastBuild, full_refresh_mark, loaded_until_now
from lakehouse.steps.load import load


def run(
    settings: Settings,
    tables: Sequence[SourceTable],
    target: str,
    sources: Sequence[str],
    console: Console,
    overwrite_schema: bool = False,
    everything: bool = False,
) -> None:
    """Extract and load `tables`, build what is new since the last complete build or `everything`, and check.

    With `sources`, all that depends on them is built. A stream that could not be extracted, a refused file,
    or an alert of severity error fails the run at its end.
    """
    watched = watch(settings)
    with threads(1) as pool:
        # dbt takes seconds to read the project, in which files can be loaded.
        reading = pool.submit(read_project, settings, target)
        streams = streams_configured(settings, tables)
        extracted = extract(settings, streams, console, Request()) if streams else ExtractSummary()
        summary = load(settings, tables, console, overwrite_schema)
        with console.status("Reading the dbt project"):
            manifest = reading.result()
    last, loaded = LastBuild(settings, target), loaded_until_now(settings)
    anew = full_refresh_mark(settings)
    selection = of_sources(settings, target, sources, manifest)
    if not (sources or everything or anew.exists()):
        selection = last.what_is_new(manifest, loaded)
    # They test models, not data: `lakehouse build`, `dbt test` and CI run them.
    arguments = ["--target", target, *selection, "--exclude", "resource_type:unit_test"]
    if anew.exists():
        arguments.append("--full-refresh")
    outcome = build(settings, arguments, console, manifest)
    if outcome.nodes and not sources:
        last.store(loaded)
        if outcome.success:
            anew.unlink(missing_ok=True)
    # What Databricks holds is not in the folders that checks read.
    found = check(settings, watched, console) if target != "databricks" else ""
    raise_for(outcome.problem, summary.problem, extracted.problem, found)
