"""The command line: `lakehouse --help`."""

import atexit
import gc
import os
import sys
from io import TextIOWrapper

from lakehouse.cli.ctrl_c import STOPPED, end, is_about, patience

# What a shell says of a command that wrote to a closed pipe.
PIPE_CLOSED = 141
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
        exit_code = PIPE_CLOSED
    sys.exit(exit_code)


def _run() -> str | int | None:
    try:
        # It takes most of a second, in which Ctrl-C is to be heard, too.
        from lakehouse.cli.commands import run

        return run()
    except BaseException as error:
        # Libraries make errors of their own of it.
        if is_about(error, KeyboardInterrupt):
            return STOPPED
        raise
