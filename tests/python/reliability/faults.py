"""Runs `lakehouse` and lets something happen at a chosen point of it.

    python -m tests.python.reliability.faults ACTION POINT ARGUMENT ...

Points are the moments before and after each commit to a Delta table, and before a file or folder of the
home or the landing zone is renamed or removed. They are counted from 1. ACTION is `kill`, `fill`, which
fills the disk of the home, or `count`, which does nothing. The names of the points that were reached are
appended to the file FAULT_POINTS.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import deltalake
from deltalake import table as delta_table

_COMMITS = [
    (deltalake, "write_deltalake"),
    (deltalake.DeltaTable, "create"),
    (deltalake.DeltaTable, "delete"),
    (deltalake.DeltaTable, "restore"),
    (deltalake.DeltaTable, "vacuum"),
    (delta_table.TableMerger, "execute"),
    (delta_table.TableAlterer, "add_columns"),
    (delta_table.TableAlterer, "set_column_metadata"),
    (delta_table.TableAlterer, "set_table_description"),
    (delta_table.TableAlterer, "set_table_properties"),
    (delta_table.TableOptimizer, "compact"),
]
_CHANGES_OF_FILES = ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree")
FILLER = "filler"


class Points:
    """Counts the points that a process reaches, and acts at one of them."""

    def __init__(self, action: str, at: int) -> None:
        self._action, self._at = action, at
        self._reached = 0
        self._lock = Lock()
        self._home = Path(os.environ["LAKEHOUSE_HOME"])
        self._places = tuple(os.environ[name] for name in ("LAKEHOUSE_HOME", "LAKEHOUSE_LANDING"))
        self._names = Path(os.environ["FAULT_POINTS"])

    def reach(self, name: str) -> None:
        with self._lock:
            self._reached += 1
            with self._names.open("a") as names:
                names.write(f"{name}\n")
            if self._reached != self._at:
                return
            if self._action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self._action == "fill":
                fill(self._home / FILLER)

    def watch(self) -> None:
        """Have commits and changes of files reach points."""
        for owner, name in _COMMITS:
            setattr(owner, name, self._watched(getattr(owner, name), name))
        sys.addaudithook(self._hear)

    def _watched(self, commit: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(commit)
        def watched(*arguments: Any, **options: Any) -> Any:
            self.reach(f"before {name}")
            result = commit(*arguments, **options)
            self.reach(f"after {name}")
            return result

        return watched

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES_OF_FILES and str(arguments[0]).startswith(self._places):
            self.reach(f"before {event}")


def fill(file: Path) -> None:
    """Take what is left of the disk on which `file` lies."""
    with file.open("ab", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                continue


if __name__ == "__main__":
    action, at, *sys.argv[1:] = sys.argv[1:]
    Points(action, int(at)).watch()
    from lakehouse.cli import main

    main()
