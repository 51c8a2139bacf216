"""One writer at a time, with room to write."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.landing.discovery import on_databricks
from lakehouse.errors import LakehouseError, UsageError

# The catalog and the logs need a little room even when nothing is loaded.
_MINIMUM_FREE_MB = 5


@contextmanager
def writer_lock(home: Path) -> Iterator[None]:
    """Hold `<home>/.lock` while writing; the operating system frees it when a process dies.

    Volumes of Databricks have no locks. There, jobs run one at a time.

    Raises:
        UsageError: another process writes, or `home` cannot be written to.
        LakehouseError: the disk of `home` is full.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / ".lock").open("a+")
    except OSError as error:
        raise UsageError(
            f"LAKEHOUSE_HOME {home} cannot be used: {error.strerror}. "
            "Give this user the right to write there, or set it to another folder."
        ) from None
    with file:
        if on_databricks():
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UsageError(
                f"Another run (process {file.read() or 'unknown'}) is writing to {home}: "
                "wait for it, or set LAKEHOUSE_HOME to another folder."
            ) from None
        except OSError as error:
            raise UsageError(
                f"LAKEHOUSE_HOME {home} is on a disk without locks ({error.strerror}). "
                "Mount it so that it has them, such as by NFS 4, or set it to a folder on a local disk."
            ) from None
        free = shutil.disk_usage(home).free / 1e6
        if free < _MINIMUM_FREE_MB:
            raise LakehouseError(f"No space left on device: {home} has {free:.1f} MB free.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
