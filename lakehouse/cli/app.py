"""What all commands share: the application, the console, options, settings."""

import sys
from importlib.metadata import version
from typing import Annotated, Literal

import typer
from rich.console import Console

from ingestion.contracts import SourceTable, read_contracts, select_sources
from ingestion.landing.zone import LandingError, check_landing
from lakehouse.engines.databricks import export_secrets
from lakehouse.engines.environment import export
from lakehouse.errors import UsageError
from lakehouse.private import keep_private
from lakehouse.settings import Settings, load_settings, wrong_in_environment
from lakehouse.terminal import say

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`, as where something else than this prints."""
        raise


# What is printed are names and values of users. What goes to a file or a pipe is neither folded nor cut.
console = _Console(width=None if sys.stdout.isatty() else 10_000, markup=False, emoji=False, highlight=False)

SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME", help="Only this source; can be repeated. Default: all."),
]
LandingOption = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Landing zone, instead of LAKEHOUSE_LANDING; else <home>/landing."),
]
OverwriteSchemaOption = Annotated[
    bool, typer.Option("--overwrite-schema", help="Take over columns and types that changed in a contract.")
]
SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="A source, such as gym.")]
TableArgument = Annotated[str, typer.Argument(help="For example gold.fct_sales or fct_sales.")]
FormatOption = Annotated[
    Literal["table", "csv", "json"], typer.Option("--format", help="How rows are printed.")
]


# Settings that options before the command give.
_given: dict[str, str | None] = {}


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"lakehouse {version('lakehouse')}")
        raise typer.Exit


@app.callback()
def settings_for_all(
    project: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder of the dbt project, instead of LAKEHOUSE_PROJECT."),
    ] = None,
    home: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder of tables and logs, instead of LAKEHOUSE_HOME; else .lakehouse."
        ),
    ] = None,
    catalog: Annotated[
        str | None, typer.Option(help="On Databricks, instead of DATABRICKS_CATALOG; else lakehouse.")
    ] = None,
    secrets: Annotated[
        str | None,
        typer.Option(metavar="SCOPE", help="On Databricks, take settings from this scope of secrets, too."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Files in, star schema out: load, build, query and watch the lakehouse.

    The options below come before the command: lakehouse --home DIR status.
    """
    _given.update(LAKEHOUSE_PROJECT=project, LAKEHOUSE_HOME=home, DATABRICKS_CATALOG=catalog)
    if secrets:
        export_secrets(secrets)


def read_settings(**overrides: str | None) -> Settings:
    """Settings, which are in the environment, too, afterwards.

    Raises:
        UsageError: a setting is malformed.
    """
    settings = load_settings(**_given, **overrides)
    for problem in wrong_in_environment():
        say(Console(stderr=True), f"Warning: {problem}")
    export(settings)
    keep_private(settings.home)
    return settings


def settings_with_landing(landing: str | None) -> Settings:
    """Settings whose landing zone can be used.

    Raises:
        UsageError: it does not exist, or a setting is malformed.
    """
    settings = read_settings(LAKEHOUSE_LANDING=landing)
    require_landing(settings)
    return settings


def require_landing(settings: Settings) -> None:
    """Make sure that the landing zone can be used, before an engine starts in vain.

    Raises:
        UsageError: it does not exist.
    """
    try:
        check_landing(settings.landing)
    except LandingError as error:
        raise UsageError(str(error)) from None


def select(settings: Settings, sources: list[str] | None) -> list[SourceTable]:
    """The tables of some sources, or of all.

    Raises:
        UsageError: there is no such source.
    """
    try:
        return select_sources(read_contracts(settings.models), sources or [])
    except ValueError as error:
        raise UsageError(str(error)) from None
