"""Commands that look after a home: validate, verify, maintain, clean."""

from typing import Annotated, Literal

import typer

from lakehouse.cli.app import SourceArgument, app, console, read_settings, select
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.lock import writer_lock
from lakehouse.steps.mend import mend
from lakehouse.terminal import say


@app.command()
def validate(source: SourceArgument) -> None:
    """Count the rows of a source's tables and run every test that concerns it."""
    from lakehouse.steps.validate import validate as validate_source

    settings = read_settings()
    select(settings, [source])
    settings.warehouse.tables()
    with writer_lock(settings.home):
        validate_source(settings, source, console)


@app.command()
def verify() -> None:
    """Build the models on Spark, too, in a scratch folder, and compare all tables; needs `make spark`."""
    from lakehouse.engines.spark import require_spark
    from lakehouse.steps.verify import verify as verify_home

    settings = read_settings()
    settings.warehouse.tables()
    require_spark(settings)
    with writer_lock(settings.home):
        verify_home(settings, console)


@app.command()
def maintain(
    target: Annotated[Literal["local", "databricks"], typer.Option(help="Where the tables are.")] = "local",
    retain: Annotated[
        str, typer.Option(help="How long earlier versions of tables can be read and restored.")
    ] = "7d",
    force: Annotated[
        bool, typer.Option("--force", help="Retain less than 7d, though others may still need the files.")
    ] = False,
) -> None:
    """Join small files of all tables, and remove those that no version of the last days needs."""
    from lakehouse.engines.dbt import check_target
    from lakehouse.steps.maintain import maintain as maintain_tables
    from lakehouse.steps.maintain import maintain_on_databricks, retention

    kept = retention(retain, force)
    if force and target == "databricks":
        raise UsageError("--force is for local: Databricks itself refuses less than 7d.")
    settings = read_settings()
    check_target(target, settings)
    with writer_lock(settings.home):
        if target == "databricks":
            maintain_on_databricks(settings, kept, console)
        else:
            mend(settings, console)
            maintain_tables(settings, kept, console)


@app.command()
def clean(
    source: SourceArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove what was made of a source: its tables and checkpoints; files in the landing zone stay.

    So does how far its extraction came, as these files tell that.
    """
    from lakehouse.steps.clean import find_traces, remove

    settings = read_settings()
    tables = select(settings, [source])
    with writer_lock(settings.home):
        traces = find_traces(settings, tables)
        for name in (*traces.tables, *map(str, traces.folders)):
            say(console, name)
        if not yes and not typer.confirm("Remove these?"):
            raise LakehouseError("Nothing was removed.")
        remove(settings, traces)
    console.print(f"Removed {len(traces.tables)} tables of {source}.")
    if any(table.arrives.extract for table in tables):
        console.print(
            "What was extracted of it stays in the landing zone, and is loaded again. "
            f"`lakehouse extract {source} --full` asks for everything anew."
        )
