"""Commands that read tables: query, status, history; and restore."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.cli.app import FormatOption, TableArgument, app, console, read_settings, select
from lakehouse.errors import UsageError
from lakehouse.lock import writer_lock


@app.command()
def query(
    sql: Annotated[str | None, typer.Argument(help='For example "select * from gold.dim_customer".')] = None,
    file: Annotated[Path | None, typer.Option(help="Read the SQL from a file, such as in analyses/.")] = None,
    output: FormatOption = "table",
    at: Annotated[
        str | None,
        typer.Option(help="Version, see `history`, or time (UTC), such as '2026-01-31 12:00:00'; else now."),
    ] = None,
) -> None:
    """Run SQL on any layer; works while a load or build is running."""
    from lakehouse.reading.output import print_rows
    from lakehouse.reading.query import read

    if bool(sql) == bool(file):
        raise UsageError("Give either SQL or --file.")
    settings = read_settings()
    print_rows(read(settings.warehouse, sql or _text(file), at), output, console)


def _text(file: Path | None) -> str:
    assert file is not None
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8: save it as that.") from None


@app.command()
def status() -> None:
    """Show last loads, rows, rejected rows, freshness, open alerts and failed tests."""
    from lakehouse.reading.status import show

    settings = read_settings()
    show(settings.warehouse, select(settings, None), console)


@app.command()
def history(
    table: TableArgument,
    output: FormatOption = "table",
) -> None:
    """List the versions of a table, which `query --at` and `restore` take."""
    from lakehouse.reading import versions
    from lakehouse.reading.output import print_rows

    settings = read_settings()
    _, folder = settings.warehouse.find(table)
    print_rows(versions.history(folder), output, console)


@app.command()
def restore(
    table: TableArgument, to: Annotated[int, typer.Option(help="Version to go back to, see `history`.")]
) -> None:
    """Make an earlier version of a table its present one."""
    from lakehouse.reading import versions
    from lakehouse.steps.last_build import forget_builds

    settings = read_settings()
    name, folder = settings.warehouse.find(table)
    with writer_lock(settings.home):
        forget_builds(settings)
        versions.restore(name, folder, to)
    console.print(f"{name} is as it was in version {to}.")
