"""The landing zone: which files lie there for a table."""

import bz2
import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TextIO, cast

from ingestion.contracts import SourceTable

_CHUNK = 1 << 20
# Spark decompresses by the same endings.
_OPENERS: dict[str, Callable[[str, str], object]] = {".gz": gzip.open, ".bz2": bz2.open}
# Names of what is hidden or still being written; Spark passes them over too.
_HIDDEN, _PARTIAL = ("_", "."), "._COPYING_"


class LandingError(Exception):
    """The landing zone cannot be read; the message names the folder or file."""


@dataclass(frozen=True, order=True)
class LandedFile:
    """A file as it lay in the landing zone; the order is that of arrival."""

    modified_at: datetime
    path: str
    size: int
    uri: str = ""

    @property
    def pattern(self) -> str:
        """The path, written such that Spark does not read a name with `*` as a pattern."""
        return literal_pattern(self.path)

    def sha256(self) -> str:
        """Checksum of the bytes, in hex."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def contains(self, byte: bytes) -> bool:
        """Whether a byte occurs in the uncompressed file."""
        with self._open() as file:
            return any(byte in chunk for chunk in iter(lambda: file.read(_CHUNK), b""))

    def open_text(self, encoding: str = "utf-8-sig") -> TextIO:
        """The uncompressed file as text, its line ends as they are."""
        return io.TextIOWrapper(self._open(), encoding=encoding, errors="replace", newline="")

    def _open(self) -> BinaryIO:
        return cast(BinaryIO, _OPENERS.get(os.path.splitext(self.path)[1], open)(self.path, "rb"))


@dataclass(frozen=True)
class FileGlob:
    """A contract's path pattern: files named like `name` in `folder` or below."""

    folder: Path
    name: str

    @classmethod
    def of(cls, table: SourceTable, landing: Path) -> "FileGlob":
        """The pattern of `table` below the landing zone."""
        pattern = PurePosixPath(table.arrives.path)
        return cls(landing / pattern.parent, pattern.name)

    def files(self) -> Iterator[LandedFile]:
        """Files that match now, without those that are hidden or still being written.

        Raises:
            LandingError: a folder is unreadable, or a folder is named like a file.
        """
        for folder, subfolders, names in os.walk(self.folder, onerror=_cannot_list, followlinks=True):
            subfolders[:] = [name for name in subfolders if not name.startswith(_HIDDEN)]
            for name in subfolders:
                if fnmatchcase(name, self.name):
                    raise LandingError(
                        f"{folder}/{name} is a folder, but a file is expected there: "
                        "move its files up or rename it."
                    )
            for name in names:
                if fnmatchcase(name, self.name) and not (name.startswith(_HIDDEN) or name.endswith(_PARTIAL)):
                    yield from _stat(os.path.join(folder, name))


def from_epoch_ms(milliseconds: int) -> datetime:
    """UTC time of milliseconds since 1970, the resolution in which Spark sees file times."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def literal_pattern(path: str) -> str:
    """A path as a pattern that matches nothing else."""
    return "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in path)


def _stat(path: str) -> Iterator[LandedFile]:
    # A file may be moved away while the folder is listed.
    with suppress(FileNotFoundError):
        status = os.stat(path)
        yield LandedFile(from_epoch_ms(status.st_mtime_ns // 1_000_000), path, status.st_size)


def _cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise LandingError(f"{error.filename}: {error.strerror}") from None
