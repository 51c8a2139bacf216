"""The landing zone: which files lie there for a table."""

import bz2
import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ingestion.contracts import SourceTable
from ingestion.landing import s3
from ingestion.times import from_epoch_millis

# Spark decompresses by the same endings.
_DECOMPRESSORS: dict[str, Callable[[BinaryIO], object]] = {".gz": gzip.open, ".bz2": bz2.open}
# Names of what is hidden or still being written; Spark passes them over too.
_HIDDEN, _PARTIAL = ("_", "."), "._COPYING_"


class LandingError(Exception):
    """The landing zone cannot be read; the message names the folder, file or bucket."""


@dataclass(frozen=True, order=True)
class LandedFile:
    """A file as it lay in the landing zone; the order is that of arrival."""

    modified_at: datetime
    path: str
    size: int

    def sha256(self) -> str:
        """Checksum of the bytes, in hex."""
        with self._open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

    def open(self) -> BinaryIO:
        """The uncompressed file."""
        decompress = _DECOMPRESSORS.get(os.path.splitext(self.path)[1])
        return cast(BinaryIO, decompress(self._open())) if decompress else self._open()

    def _open(self) -> BinaryIO:
        return s3.open_object(self.path) if _is_remote(self.path) else open(self.path, "rb")


@dataclass(frozen=True)
class FileGlob:
    """A contract's path pattern: files named like `name` in `folder` or below."""

    folder: str
    name: str
    label: str = ""

    @classmethod
    def of(cls, table: SourceTable, landing: str) -> "FileGlob":
        """The pattern of `table`, whose name is its label, below the landing zone."""
        pattern = PurePosixPath(table.arrives.path)
        folder = "/".join([landing.rstrip("/"), *pattern.parent.parts])
        return cls(folder, pattern.name, table.identifier)

    def files(self) -> Iterator[LandedFile]:
        """Files that match now, without those that are hidden or still being written.

        Raises:
            LandingError: a folder is unreadable, or a folder is named like a file.
        """
        return self._objects() if _is_remote(self.folder) else self._walk()

    def _objects(self) -> Iterator[LandedFile]:
        with _landing_errors():
            for found in s3.list_objects(f"{self.folder}/"):
                below = found.uri.removeprefix(f"{self.folder}/").split("/")
                if not any(map(is_hidden, below)) and fnmatchcase(below[-1], self.name):
                    yield LandedFile(found.modified_at, found.uri, found.size)

    def _walk(self) -> Iterator[LandedFile]:
        for folder, subfolders, names in os.walk(self.folder, onerror=_cannot_list, followlinks=True):
            subfolders[:] = [name for name in subfolders if not is_hidden(name)]
            for name in subfolders:
                if fnmatchcase(name, self.name):
                    raise LandingError(
                        f"{folder}/{name} is a folder, but a file is expected there: "
                        "move its files up or rename it."
                    )
            for name in names:
                if fnmatchcase(name, self.name) and not is_hidden(name):
                    path = os.path.join(folder, name)
                    # A file may be moved away while the folder is listed.
                    with suppress(FileNotFoundError):
                        modified_at, size = _stat(path)
                        # As Spark writes a name that is not in UTF-8, by which the file cannot be opened.
                        yield LandedFile(modified_at, os.fsencode(path).decode(errors="replace"), size)


def check_landing(landing: str) -> None:
    """Make sure that the landing zone can be used.

    Raises:
        LandingError: it does not exist, or access is denied.
    """
    if _is_remote(landing):
        with _landing_errors():
            next(s3.list_objects(landing), None)
    elif not Path(landing).is_dir():
        problem = "is no folder" if Path(landing).exists() else "does not exist"
        raise LandingError(f"The landing zone {landing} {problem}. Create it, or set LAKEHOUSE_LANDING.")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is passed over: it is hidden or still being written."""
    return name.startswith(_HIDDEN) or name.endswith(_PARTIAL)


def literal_pattern(path: str) -> str:
    """A path as a pattern that matches nothing else."""
    return "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in path)


def _is_remote(path: str) -> bool:
    return path.startswith(s3.SCHEME)


def _stat(path: str) -> tuple[datetime, int]:
    status = os.stat(path)
    return from_epoch_millis(status.st_mtime_ns // 1_000_000), status.st_size


@contextmanager
def _landing_errors() -> Iterator[None]:
    try:
        yield
    except (s3.StorageError, ValueError) as error:
        raise LandingError(str(error)) from None


def _cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise LandingError(f"{error.filename}: {error.strerror}") from None
