"""All commands, and what their ends are to a shell."""

import os
import traceback

from rich.console import Console

from ingestion.contracts import ContractError
from ingestion.errors import explanation, root_cause, without_passwords

# Each module adds its commands to the application, in this order.
from lakehouse.cli import landing, upload, pipeline, reading, charts, exports, upkeep, deployment  # isort: skip  # noqa: F401
from lakehouse.cli import PIPE_CLOSED
from lakehouse.cli.app import app
from lakehouse.cli.ctrl_c import is_about
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import say


def run() -> str | int | None:
    """Run a command; its exit code, after saying what went wrong.

    Raises:
        BaseException: it was ended by Ctrl-C.
    """
    try:
        app()
    except BaseException as error:
        return _ended_by(error)
    return 0


def _ended_by(error: BaseException) -> str | int | None:
    """The exit code, after saying what an error says."""
    if is_about(error, KeyboardInterrupt):
        raise error
    if isinstance(error, SystemExit):
        # Of a closed pipe, libraries make errors of their own.
        return PIPE_CLOSED if is_about(error, BrokenPipeError) else error.code
    if os.environ.get("LAKEHOUSE_DEBUG"):
        _print_origin(error)
    if isinstance(error, LakehouseError):
        return _failed(str(error), error.exit_code)
    if isinstance(error, ContractError):
        return _failed(str(error), UsageError.exit_code)
    cause = explanation(error) or f"{type(error).__name__}: {root_cause(error)}"
    return _failed(f"{cause}\nSet LAKEHOUSE_DEBUG=1 to see where it happened.", 1)


def _print_origin(error: BaseException) -> None:
    """Show tracebacks, also of errors in whose place others were raised."""
    inner: BaseException | None = error
    while inner is not None:
        inner.__suppress_context__ = False
        inner = inner.__cause__ or inner.__context__
    traceback.print_exception(error)


def _failed(message: str, exit_code: int) -> int:
    say(Console(stderr=True), f"Error: {without_passwords(message)}", several_lines=True, colour="red")
    return exit_code
