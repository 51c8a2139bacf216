"""The command line: `lakehouse --help`."""

import atexit
import gc
import os
import sys

from rich.console import Console
from rich.markup import escape

from ingestion.contracts import ContractError
from ingestion.errors import root_cause

# Each module adds its commands to the application, in this order.
from lakehouse.cli import landing, upload, pipeline, reading, charts, upkeep  # isort: skip  # noqa: F401
from lakehouse.cli.app import app
from lakehouse.errors import LakehouseError, UsageError


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
