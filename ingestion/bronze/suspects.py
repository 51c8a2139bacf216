"""Files that were being read when a load died are read apart before they are read again."""

import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TextIO

from ingestion.bronze.batch import Origin, rows_of
from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.limits import Limits
from ingestion.readers import FileRefused, read_within, reader_for
from ingestion.times import EPOCH


class ReadingNote:
    """Says on disk which files are being read, a line when one is begun and when it is done with.

    What an earlier process began and was not done with is suspect. Without a `path`, nothing is noted.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.suspects: set[str] = set()
        self._lines: TextIO | None = None

    def __enter__(self) -> Self:
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.suspects = _unfinished(self._path)
            # The system keeps a line when the process dies; it need not reach the disk.
            self._lines = self._path.open("w", buffering=1, encoding="utf-8")
            for path in sorted(self.suspects):
                self._write("+", path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._path and self._lines:
            self._lines.close()
            if not _unfinished(self._path):
                self._path.unlink()

    @contextmanager
    def reading(self, table: SourceTable, file: LandedFile, limits: Limits) -> Iterator[None]:
        """Note a file as long as the context lasts.

        Raises:
            FileRefused: the file is suspect and ended the process that read it apart; it remains noted.
        """
        if file.path in self.suspects:
            _read_apart(table, file, limits)
            self.suspects.discard(file.path)
        self._write("+", file.path)
        try:
            yield
        finally:
            self._write("-", file.path)

    def _write(self, mark: str, path: str) -> None:
        if self._lines:
            self._lines.write(f"{mark}{json.dumps(path)}\n")


def _unfinished(note: Path) -> set[str]:
    is_open: dict[str, bool] = {}
    if note.exists():
        # The last line may have been cut off.
        for line in note.read_text(encoding="utf-8").split("\n")[:-1]:
            is_open[json.loads(line[1:])] = line.startswith("+")
    return {path for path, still in is_open.items() if still}


def _read_apart(table: SourceTable, file: LandedFile, limits: Limits) -> None:
    """Read a suspect file in a process of its own; only whether that is killed counts."""
    given = pickle.dumps((table, file, limits))
    # Ctrl-C is not meant for it.
    ended = subprocess.run(
        [sys.executable, "-m", __name__], input=given, capture_output=True, start_new_session=True
    )
    if ended.returncode < 0:
        raise FileRefused(
            f"reading the file ended the process twice, now by {signal.Signals(-ended.returncode).name}: "
            "send it anew, in smaller parts or in another format"
        )


def _read_all(table: SourceTable, file: LandedFile, limits: Limits) -> None:
    reader_for(table, limits).check(table, file)
    for _ in rows_of(table, read_within(table, file, limits), Origin(file.path, EPOCH, "")):
        pass


if __name__ == "__main__":
    _read_all(*pickle.load(sys.stdin.buffer))
