"""The command that writes files for other programs: export."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.cli.app import app, console, read_settings
from lakehouse.exports import Kind
from lakehouse.private import as_asked_for
from lakehouse.terminal import say


@app.command()
def export(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="For which program.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write gold for Power BI, ClickHouse, or as metric views of Unity Catalog: tables, keys and metrics.

    aibi writes pages and checks as dashboards (.lvdash.json) and SQL alerts for the bundle of Databricks.
    """
    from lakehouse.engines.dbt import read_project
    from lakehouse.exports.export import export, write

    # dbt changes the working directory.
    settings, folder = read_settings(), out.absolute()
    made = export(kind, read_project(settings, "local"), settings)
    with as_asked_for(folder, settings.home):
        write(made, folder)
    for name, reason in made.refused.items():
        say(Console(stderr=True), f"Left out: {name}, because {reason}.")
    say(console, f"Export: {len(made.files)} files in {out}")
