"""Commands that take data from the landing zone to gold: load, build, run, stream."""

from typing import Annotated, Literal

import typer

from lakehouse.cli.app import (
    LandingOption,
    OverwriteSchemaOption,
    SourceOption,
    app,
    console,
    read_settings,
    select,
    settings_with_landing,
)
from lakehouse.cli.ctrl_c import patience
from lakehouse.errors import raise_for
from lakehouse.lock import writer_lock
from lakehouse.steps.mend import mend

# What was loaded still reaches gold.
_STREAM_PATIENCE_SECONDS = 10


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
    from lakehouse.engines.dbt import check_target, target_of
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
        arguments = [*context.args, *of_sources(source or [])]
        raise_for(build_models(settings, arguments, console).problem)


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
    """Load, snapshot, build and test what is new since the last run, in this order."""
    from lakehouse.engines.dbt import check_target
    from lakehouse.steps.run import run as run_steps

    settings = settings_with_landing(landing)
    tables = select(settings, source)
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
    landing: LandingOption = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="Sail and delta-rs, or Spark's Structured Streaming.")
    ] = "local",
) -> None:
    """Follow the streams: what arrives goes to bronze, silver and gold until Ctrl-C or SIGTERM."""
    from ingestion import streams
    from lakehouse.steps.stream import follow

    settings = settings_with_landing(landing)
    tables = select(settings, list(streams.SOURCES))
    with writer_lock(settings.home), patience(_STREAM_PATIENCE_SECONDS):
        mend(settings, console)
        follow(settings, tables, console, trigger, seconds, engine)
