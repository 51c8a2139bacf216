"""One writer at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.errors import UsageError


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold `<home>/.lock` while writing; the operating system frees it when a process dies.

    Raises:
        UsageError: another process writes, or `home` cannot be written to.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / ".lock").open("a+")
    except OSError as error:
        raise UsageError(f"LAKEHOUSE_HOME {home} cannot be used: {error.strerror}.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UsageError(
                f"Another run (process {file.read() or 'unknown'}) is writing to {home}: "
                "wait for it, or set LAKEHOUSE_HOME to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
