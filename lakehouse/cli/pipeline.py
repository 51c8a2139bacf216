"""Commands that take data from its origin to gold: extract, load, build, run, stream; and check."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from ingestion.connectors.stream import as_time
from ingestion.landing.zone import create_landing
from lakehouse.cli.app import (
    LandingOption,
    OverwriteSchemaOption,
    SourceOption,
    app,
    console,
    read_settings,
    require_landing,
    select,
    settings_with_landing,
)
from lakehouse.cli.ctrl_c import patience
from lakehouse.errors import UsageError, raise_for
from lakehouse.lock import writer_lock
from lakehouse.steps.mend import mend

# What was loaded still reaches gold.
_STREAM_PATIENCE_SECONDS = 10


@app.command()
def extract(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Sources or tables, such as shipping.shipments. Default: all."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="What changed since this time (UTC), instead of since the last time.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Everything, from the beginning.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked for.")] = False,
    rebuild_state: Annotated[
        bool, typer.Option("--rebuild-state", help="Find out from the landed files how far it came.")
    ] = False,
    landing: LandingOption = None,
) -> None:
    """Land what changed in APIs and databases; goes on where it was stopped."""
    from ingestion.connectors.extract import Request
    from lakehouse.steps.extract import extract as extract_streams
    from lakehouse.steps.extract import show_plan, streams_named

    if full and since:
        raise UsageError("Give --since or --full, not both.")
    settings = read_settings(LAKEHOUSE_LANDING=landing)
    request = Request(_time(since) if since else None, full, rebuild_state)
    streams = streams_named(settings, select(settings, None), names or [])
    if dry_run:
        show_plan(settings, streams, console, request)
        return
    with writer_lock(settings.home):
        mend(settings, console)
        raise_for(extract_streams(settings, streams, console, request).problem)


def _time(text: str) -> datetime:
    try:
        return as_time(text)
    except ValueError:
        raise UsageError(
            f"--since '{text}' is no time: write it as 2026-11-30 or 2026-11-30T12:00:00"
        ) from None


@app.command()
def load(
    source: SourceOption = None,
    landing: LandingOption = None,
    overwrite_schema: OverwriteSchemaOption = False,
) -> None:
    """Load everything new from the landing zone into bronze, and streams on to silver."""
    from lakehouse.steps.load import load as load_tables

    settings = settings_with_landing(landing)
    tables = select(settings, source)
    with writer_lock(settings.home):
        mend(settings, console)
        raise_for(load_tables(settings, tables, console, overwrite_schema).problem)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def build(context: typer.Context, source: SourceOption = None) -> None:
    """Build and test silver and gold: `dbt build`, with dbt's own arguments.

    For example --target spark (local, spark or databricks; default local), --select or --full-refresh.
    """
    from lakehouse.engines.dbt import check_target, read_project, target_of
    from lakehouse.steps.build import build as build_models
    from lakehouse.steps.build import of_sources

    settings = read_settings()
    select(settings, source)
    target = target_of(context.args)
    check_target(target, settings)
    if target == "local":
        # Without any, each model would fail.
        settings.warehouse.tables()
    with writer_lock(settings.home):
        mend(settings, console)
        manifest = read_project(settings, target) if source else None
        arguments = [*context.args, *of_sources(settings, target, source or [], manifest)]
        raise_for(build_models(settings, arguments, console, manifest).problem)


@app.command()
def run(
    source: SourceOption = None,
    landing: LandingOption = None,
    target: Annotated[
        str, typer.Option(help="Target of profiles.yml: local, spark or databricks.")
    ] = "local",
    everything: Annotated[bool, typer.Option("--all", help="Build what is not new, too.")] = False,
    overwrite_schema: OverwriteSchemaOption = False,
) -> None:
    """Extract where configured, load, snapshot, build, test and check what is new since the last run."""
    from lakehouse.engines.dbt import check_target
    from lakehouse.steps.extract import streams_configured
    from lakehouse.steps.run import run as run_steps

    settings = read_settings(LAKEHOUSE_LANDING=landing)
    tables = select(settings, source)
    if streams_configured(settings, tables):
        create_landing(settings.landing)
    require_landing(settings)
    check_target(target, settings)
    with writer_lock(settings.home):
        mend(settings, console)
        run_steps(settings, tables, target, source or [], console, overwrite_schema, everything)


@app.command()
def stream(
    seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds; else with Ctrl-C.")
    ] = None,
    trigger: Annotated[
        str, typer.Option(help="How often a cycle begins, in seconds or minutes.")
    ] = "5 seconds",
    source: SourceOption = None,
    landing: LandingOption = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="Sail and delta-rs, or Spark's Structured Streaming.")
    ] = "local",
) -> None:
    """Follow the sources that have topics in their contract, as files or over Kafka, until Ctrl-C or SIGTERM.

    What arrives goes to bronze, silver and gold.
    """
    from lakehouse.steps.stream import follow, sources_followed

    settings = settings_with_landing(landing)
    tables = select(settings, sources_followed(settings, source or []))
    with writer_lock(settings.home), patience(_STREAM_PATIENCE_SECONDS):
        mend(settings, console)
        follow(settings, tables, console, trigger, seconds, engine)


@app.command()
def check() -> None:
    """Look for anomalies, late deliveries and failures by alerts.yml, and tell of what opened and cleared."""
    from lakehouse.steps.check import check as check_lakehouse
    from lakehouse.steps.check import watch

    settings = read_settings()
    watched = watch(settings)
    settings.warehouse.tables()
    with writer_lock(settings.home):
        mend(settings, console)
        raise_for(check_lakehouse(settings, watched, console))
