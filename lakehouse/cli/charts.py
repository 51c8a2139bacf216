"""Commands for those who look: chart, report, dashboard, serve."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lakehouse.cli.app import app, console, read_settings
from lakehouse.errors import UsageError
from lakehouse.private import as_asked_for
from lakehouse.terminal import say

Tables = Literal["local", "databricks"]


@app.command()
def chart(
    table: Annotated[str, typer.Argument(help="For example gold.fct_sales, or just fct_sales.")],
    x: Annotated[str, typer.Option("--x", help="Column from left to right, or the categories.")],
    y: Annotated[str, typer.Option("--y", help="Column of numbers; summed.")],
    out: Annotated[Path, typer.Option(help="File to write: .png, .svg or .html.")],
    by: Annotated[str | None, typer.Option(help="Column with a colour for each of its values.")] = None,
) -> None:
    """Draw a table's column over another one."""
    from lakehouse.charts.chart import table_chart
    from lakehouse.charts.files import save

    settings = read_settings()
    drawn = table_chart(settings.warehouse, settings.models, table, x, y, by)
    with as_asked_for(out, settings.home):
        save(drawn, out)
    say(console, f"Chart: {out}")


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="File to write; default <home>/report.html.")] = None,
    page: Annotated[
        list[str] | None, typer.Option(help="A file of dashboards/, without .yml; default all.")
    ] = None,
) -> None:
    """Write the pages of dashboards/ as one HTML file, to send or to print."""
    from lakehouse.charts.files import write
    from lakehouse.dashboards.declared import unknown
    from lakehouse.dashboards.pages import Dashboard
    from lakehouse.engines.dbt import read_project

    settings = read_settings()
    # dbt changes the working directory.
    file = (out or settings.home / "report.html").absolute()
    settings.warehouse.tables()
    pages = Dashboard(settings, read_project(settings, "local"))
    for name in page or ():
        if name not in pages.pages:
            raise UsageError(f"--page {name}: {unknown('page', name, pages.pages)}")
    html = pages.report(page or list(pages.pages)).encode()
    with as_asked_for(file, settings.home):
        write(file, html)
    say(console, f"Report: {file}")


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8050,
    host: Annotated[
        str, typer.Option(help="Another than loopback needs LAKEHOUSE_DASHBOARD_PASSWORD.")
    ] = "127.0.0.1",
    target: Annotated[Tables, typer.Option(help="Whose tables: folders here, or a SQL warehouse.")] = "local",
    behind_login: Annotated[
        bool, typer.Option("--behind-login", help="A proxy asks who comes, as that of Databricks Apps.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check dashboards/*.yml.")] = False,
) -> None:
    """Show the pages of dashboards/ in a browser until Ctrl-C; works while a load or build is running."""
    from lakehouse.dashboards.app import check_host, make_app
    from lakehouse.dashboards.pages import Dashboard
    from lakehouse.dashboards.sql_warehouse import WarehouseAnswers
    from lakehouse.engines.dbt import read_project
    from lakehouse.web import run

    settings = read_settings()
    if not behind_login:
        check_host(host, settings.dashboard_password)
    manifest = read_project(settings, target)
    answers = WarehouseAnswers(settings, manifest) if target == "databricks" else None
    pages = Dashboard(settings, manifest, answers)
    if check:
        tiles = sum(len(declared.page.tiles) for declared in pages.pages.values())
        say(console, f"{len(pages.pages)} pages with {tiles} tiles: all that they name is there.")
        return
    web = make_app(pages, settings.dashboard_password, behind_login)
    run(web, host, port, lambda address: say(console, f"Dashboard: http://{address}/"))


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 10000,
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
) -> None:
    """Answer queries of BI tools (JDBC, ODBC) until Ctrl-C; works while a load or build is running."""
    from lakehouse.serving.protocol import Service
    from lakehouse.serving.server import PATH, make_app
    from lakehouse.web import run

    settings = read_settings()
    if (password := settings.serve_password) is None:
        raise UsageError("Set LAKEHOUSE_SERVE_PASSWORD first, 8 characters or more: it opens all tables.")
    web = make_app(Service(settings.warehouse), password)
    url = f"jdbc:hive2://{{}}/gold;transportMode=http;httpPath={PATH.strip('/')}"
    run(web, host, port, lambda address: say(console, f"SQL: {url.format(address)}"))
