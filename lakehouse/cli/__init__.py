"""The command line: `lakehouse --help`."""

import atexit
import gc
import os
import sys
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from ingestion.contracts import ContractError
from ingestion.errors import root_cause, without_passwords

# Each module adds its commands to the application, in this order.
from lakehouse.cli import landing, upload, pipeline, reading, charts, upkeep  # isort: skip  # noqa: F401
from lakehouse.cli.app import app
from lakehouse.cli.ctrl_c import STOPPED, end, patience
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import plain

# What a shell says of a command that wrote to a closed pipe.
_PIPE_CLOSED = 141
# Every command can be ended at any moment and run again.
_PATIENCE_SECONDS = 3


def main() -> None:
    """Run the command line; failures become one message and an exit code."""
    # dbt makes a million objects that live to the end; looking for garbage among them takes a second.
    gc.set_threshold(100_000, 50, 50)
    # At the end it would be looked for once more.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What a terminal cannot show is no reason to end.
            stream.reconfigure(errors="backslashreplace")
    with patience(_PATIENCE_SECONDS):
        exit_code = _run()
    if exit_code == STOPPED:
        end()
    try:
        sys.__stdout__.flush()  # type: ignore[union-attr]
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python would try once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        exit_code = _PIPE_CLOSED
    sys.exit(exit_code)


def _run() -> str | int | None:
    try:
        app()
    except BaseException as error:
        return _ended_by(error)
    return 0


def _ended_by(error: BaseException) -> str | int | None:
    """The exit code, after saying what an error says."""
    # Of Ctrl-C and of a closed pipe, libraries make errors of their own.
    if _is_about(error, KeyboardInterrupt):
        return STOPPED
    if isinstance(error, SystemExit):
        return _PIPE_CLOSED if _is_about(error, BrokenPipeError) else error.code
    if isinstance(error, LakehouseError):
        return _failed(str(error), error.exit_code)
    if isinstance(error, ContractError):
        return _failed(str(error), UsageError.exit_code)
    if os.environ.get("LAKEHOUSE_DEBUG"):
        raise error
    cause = f"{type(error).__name__}: {root_cause(error)}"
    return _failed(f"{cause}\nSet LAKEHOUSE_DEBUG=1 to see where it happened.", 1)


def _is_about(error: BaseException | None, kind: type[BaseException]) -> bool:
    return error is not None and (isinstance(error, kind) or _is_about(error.__context__, kind))


def _failed(message: str, exit_code: int) -> int:
    text = Text.assemble(("Error: ", "red"), plain(without_passwords(message), several_lines=True))
    Console(stderr=True).print(text, soft_wrap=True)
    return exit_code
