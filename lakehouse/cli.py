"""The command line: `lakehouse --help`."""

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from ingestion.contracts import ContractError, SourceTable, read_contracts, select_sources
from ingestion.errors import root_cause
from ingestion.landing import LandingError, check_landing
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.lock import writer_lock
from lakehouse.settings import PROJECT, Settings, load_settings

app = typer.Typer(
    help="Files in, star schema out: load, build, query and watch the lakehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Output that goes to a file or a pipe is neither folded nor cut.
console = Console(width=None if sys.stdout.isatty() else 10_000)

SourceOption = Annotated[
    list[str] | None, typer.Option("--source", help="Only this source; can be repeated.")
]
LandingOption = Annotated[str | None, typer.Option(help="Landing zone, instead of LAKEHOUSE_LANDING.")]

TableArgument = Annotated[str, typer.Argument(help="For example gold.fct_sales or fct_sales.")]
OverwriteSchemaOption = Annotated[
    bool, typer.Option("--overwrite-schema", help="Take over columns and types that changed in a contract.")
]


def main() -> None:
    """Run the command line; failures become one message and an exit code."""
    # dbt makes a million objects that live to the end; looking for garbage among them takes a second.
    gc.set_threshold(100_000, 50, 50)
    # At the end it would be looked for once more.
    atexit.register(gc.freeze)
    try:
        app()
    except LakehouseError as error:
        _fail(str(error), error.exit_code)
    except ContractError as error:
        _fail(str(error), UsageError.exit_code)
    except Exception as error:
        if os.environ.get("LAKEHOUSE_DEBUG"):
            raise
        cause = f"{type(error).__name__}: {root_cause(error)}"
        _fail(f"{cause}\nSet LAKEHOUSE_DEBUG=1 to see where it happened.", 1)
    except KeyboardInterrupt:
        _fail("Stopped. Run the same command again to go on.", 130)


def _fail(message: str, exit_code: int) -> None:
    Console(stderr=True).print(f"[red]Error:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(exit_code)


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    scale: Annotated[float, typer.Option(help="1 is 60,000 sales and 10,000 order lines.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    deliveries: Annotated[int, typer.Option(help="Deliveries: the first one and later ones.")] = 1,
    source: SourceOption = None,
) -> None:
    """Write sample data for every source."""
    from ingestion.generator import generate as generate_files

    try:
        files = generate_files(out, scale, seed, source, deliveries=deliveries)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from None
    size = sum(file.stat().st_size for file in files)
    console.print(f"{len(files)} files, {size / 1e6:,.1f} MB in {out}")


@app.command()
def upload(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder whose files to upload.")],
    to: Annotated[str | None, typer.Option(help="s3://bucket/prefix, instead of LAKEHOUSE_LANDING.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace objects that differ.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Upload the files of a folder to object storage; goes on where it was stopped."""
    from lakehouse.upload import upload_folder

    upload_folder(folder, to, overwrite, dry_run, console)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Recorded files of the gyms.")],
    to: Annotated[
        Literal["kafka", "landing"], typer.Option(help="Where messages go; CSV files always land.")
    ],
    speed: Annotated[float, typer.Option(help="1 is real time, 60 a minute per second, 0 no waiting.")] = 1.0,
    landing: LandingOption = None,
) -> None:
    """Send recorded files of the gyms as a live stream, over Kafka or as files."""
    from lakehouse.replay import replay_folder

    replay_folder(load_settings(LAKEHOUSE_LANDING=landing), folder, to, speed, console)


@app.command()
def load(
    source: SourceOption = None,
    landing: LandingOption = None,
    overwrite_schema: OverwriteSchemaOption = False,
) -> None:
    """Load everything new from the landing zone into bronze, and streams on to silver."""
    from lakehouse.loading import load_bronze

    settings, tables = _prepare(source, landing)
    with writer_lock(settings.home):
        load_bronze(settings, tables, console, overwrite_schema).raise_for_refused()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def build(context: typer.Context, source: SourceOption = None) -> None:
    """Build and test silver and gold: `dbt build`, with dbt's own arguments."""
    from lakehouse.building import build_models, of_sources
    from lakehouse.engines.dbt import check_target, target_of

    settings = load_settings()
    settings.export()
    _select(source or [])
    target = target_of(context.args)
    check_target(target, settings)
    if target == "local":
        # Without any, each model would fail.
        settings.warehouse.tables()
    with writer_lock(settings.home):
        build_models([*context.args, *of_sources(source or [])], console)


@app.command()
def run(
    source: SourceOption = None,
    landing: LandingOption = None,
    target: Annotated[str, typer.Option(help="Target of profiles.yml.")] = "local",
    overwrite_schema: OverwriteSchemaOption = False,
) -> None:
    """Load, snapshot, build and test, in this order."""
    from lakehouse.engines.dbt import check_target
    from lakehouse.pipeline import run_all

    settings, tables = _prepare(source, landing)
    check_target(target, settings)
    with writer_lock(settings.home):
        run_all(settings, tables, target, source or [], console, overwrite_schema)


@app.command()
def query(
    sql: Annotated[str | None, typer.Argument(help='For example "select * from gold.dim_customer".')] = None,
    file: Annotated[Path | None, typer.Option(help="Read the SQL from a file, such as in analyses/.")] = None,
    output: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    at: Annotated[str | None, typer.Option(help="Version or timestamp (UTC) to read the tables at.")] = None,
) -> None:
    """Run SQL on any layer; works while a load or build is running."""
    from lakehouse.query import print_rows, read

    if (sql is None) == (file is None):
        raise UsageError("Give either SQL or --file.")
    try:
        statement = sql or file.read_text(encoding="utf-8")  # type: ignore[union-attr]
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    settings = load_settings()
    print_rows(read(settings.warehouse, statement, at), output, console)


@app.command()
def stream(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    trigger: Annotated[str, typer.Option(help="How often a cycle begins.")] = "5 seconds",
    landing: LandingOption = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="Sail and delta-rs, or Spark's Structured Streaming.")
    ] = "local",
) -> None:
    """Follow the streams: what arrives goes to bronze, silver and gold until Ctrl-C or SIGTERM."""
    from ingestion import streams
    from lakehouse.streaming import follow

    settings, tables = _prepare(list(streams.SOURCES), landing)
    with writer_lock(settings.home):
        follow(settings, tables, console, trigger, seconds, engine)


SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="A source, such as gym.")]


@app.command()
def validate(source: SourceArgument) -> None:
    """Count the rows of a source's tables and run every test that concerns it."""
    from lakehouse.building import validate_source

    settings = load_settings()
    _select([source])
    settings.warehouse.tables()
    settings.export()
    with writer_lock(settings.home):
        validate_source(source, settings.warehouse, console)


@app.command()
def verify() -> None:
    """Build the models on Spark, too, in a scratch folder, and compare all tables; needs `make spark`."""
    from lakehouse.engines.spark import require_spark
    from lakehouse.verify import verify_home

    settings = load_settings()
    settings.warehouse.tables()
    require_spark()
    with writer_lock(settings.home):
        verify_home(settings, console)


@app.command()
def clean(
    source: SourceArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove what was made of a source: its tables and checkpoints; files in the landing zone stay."""
    from lakehouse.clean import find_traces, remove

    settings = load_settings()
    tables = _select([source])
    settings.export()
    with writer_lock(settings.home):
        traces = find_traces(settings, tables)
        for name in (*traces.tables, *map(str, traces.folders)):
            console.print(name, highlight=False, soft_wrap=True)
        if not yes and not typer.confirm("Remove these?"):
            raise LakehouseError("Nothing was removed.")
        remove(settings, traces)
    console.print(f"Removed {len(traces.tables)} tables of {source}.")


@app.command()
def chart(
    table: Annotated[str, typer.Argument(help="For example gold.fct_sales, or just fct_sales.")],
    x: Annotated[str, typer.Option("--x", help="Column from left to right, or the categories.")],
    y: Annotated[str, typer.Option("--y", help="Column of numbers; summed.")],
    out: Annotated[Path, typer.Option(help="File to write: .png, .svg or .html.")],
    by: Annotated[str | None, typer.Option(help="Column with a colour for each of its values.")] = None,
) -> None:
    """Draw a table's column over another one."""
    from lakehouse.charts import table_chart
    from lakehouse.report import save

    settings = load_settings()
    save(table_chart(settings.warehouse, PROJECT / "models", table, x, y, by), out)
    console.print(f"Chart: {escape(str(out))}", soft_wrap=True)


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="File to write; default <home>/report.html.")] = None,
) -> None:
    """Write one page with the charts that people look at first."""
    from lakehouse.report import report_page, write

    settings = load_settings()
    file = out or settings.home / "report.html"
    write(file, report_page(settings.warehouse, PROJECT / "models").encode())
    console.print(f"Report: {escape(str(file))}", soft_wrap=True)


@app.command()
def history(
    table: TableArgument,
    output: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
) -> None:
    """List the versions of a table, which `query --at` and `restore` take."""
    from lakehouse import versions
    from lakehouse.query import print_rows

    settings = load_settings()
    settings.export()
    _, folder = settings.warehouse.find(table)
    print_rows(versions.history(folder), output, console)


@app.command()
def restore(
    table: TableArgument, to: Annotated[int, typer.Option(help="Version to go back to, see `history`.")]
) -> None:
    """Make an earlier version of a table its present one."""
    from lakehouse import versions

    settings = load_settings()
    settings.export()
    name, folder = settings.warehouse.find(table)
    with writer_lock(settings.home):
        versions.restore(name, folder, to)
    console.print(f"{name} is as it was in version {to}.")


@app.command()
def status() -> None:
    """Show last loads, rows, rejected rows, freshness and failed tests."""
    from lakehouse.status import show

    settings = load_settings()
    show(settings.warehouse, read_contracts(PROJECT / "models"), console)


def _prepare(source: list[str] | None, landing: str | None) -> tuple[Settings, list[SourceTable]]:
    settings = load_settings(LAKEHOUSE_LANDING=landing)
    try:
        # Before an engine starts in vain.
        check_landing(settings.landing)
    except LandingError as error:
        raise UsageError(str(error)) from None
    settings.export()
    return settings, _select(source or [])


def _select(sources: list[str]) -> list[SourceTable]:
    try:
        return select_sources(read_contracts(PROJECT / "models"), sources)
    except ValueError as error:
        raise UsageError(str(error)) from None
