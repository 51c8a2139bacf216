"""Ctrl-C ends a command within seconds, whatever it waits for."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STOPPED = 130
_SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """After Ctrl-C the process may come to its end for so long; then, or at a second Ctrl-C, it is ended.

    Python tells nobody of a signal while libraries compute or threads are waited for.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    hook_before, sys.unraisablehook = sys.unraisablehook, _tell_unraisable
    threading.Thread(target=_watch, args=(reading, seconds), daemon=True).start()
    try:
        yield
    finally:
        sys.unraisablehook = hook_before
        signal.set_wakeup_fd(before)
        # The watching ends.
        os.close(writing)


def _watch(signals: int, seconds: float) -> None:
    with os.fdopen(signals, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] == signal.SIGINT:
                # A second one, or the end.
                ready, *_ = select.select([numbers], [], [], seconds)
                if not ready or numbers.read(1):
                    end()


def _tell_unraisable(error: "sys.UnraisableHookArgs") -> None:
    # Where Python ignores an error, Ctrl-C is not heard and still ends the process in time.
    if not issubclass(error.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(error)


def end() -> None:
    """End the process without waiting for its threads."""
    # Who reads may be gone, too.
    with suppress(OSError):
        if os.isatty(1):
            os.write(1, _SHOW_CURSOR)
        os.write(2, b"\nStopped. Run the same command again to go on.\n")
    os._exit(STOPPED)


def is_about(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an error is of a kind, or came up while one of that kind was handled."""
    return error is not None and (isinstance(error, kind) or is_about(error.__context__, kind))
