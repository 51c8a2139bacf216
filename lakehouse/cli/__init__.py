"""The command line: `lakehouse --help`."""

import atexit
import gc
import os
import sys
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from ingestion.contracts import ContractError
from ingestion.errors import root_cause

# Each module adds its commands to the application, in this order.
from lakehouse.cli import landing, upload, pipeline, reading, charts, upkeep  # isort: skip  # noqa: F401
from lakehouse.cli.app import app
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import plain

# What a shell says of a command that wrote to a closed pipe.
_PIPE_CLOSED = 141


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
    exit_code = _run()
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
    except SystemExit as ended:
        return _PIPE_CLOSED if isinstance(ended.__context__, BrokenPipeError) else ended.code
    except LakehouseError as error:
        return _failed(str(error), error.exit_code)
    except ContractError as error:
        return _failed(str(error), UsageError.exit_code)
    except Exception as error:
        if os.environ.get("LAKEHOUSE_DEBUG"):
            raise
        cause = f"{type(error).__name__}: {root_cause(error)}"
        return _failed(f"{cause}\nSet LAKEHOUSE_DEBUG=1 to see where it happened.", 1)
    except KeyboardInterrupt:
        return _failed("Stopped. Run the same command again to go on.", 130)
    return 0


def _failed(message: str, exit_code: int) -> int:
    text = Text.assemble(("Error: ", "red"), plain(message, several_lines=True))
    Console(stderr=True).print(text, soft_wrap=True)
    return exit_code
