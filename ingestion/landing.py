"""The landing zone: which files lie there for a table."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ingestion.contracts import SourceTable

_CHUNK = 1 << 20


class LandingError(Exception):
    """The landing zone cannot be read; the message names the folder or file."""


@dataclass(frozen=True, order=True)
class LandedFile:
    """A file as it lay in the landing zone; the order is that of arrival."""

    modified_at: datetime
    path: str
    size: int
    uri: str = ""

    def sha256(self) -> str:
        """Checksum of the bytes, in hex."""
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


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
        """Files that match now. Names that start with `_` or `.` are not deliveries.

        Raises:
            LandingError: a folder is unreadable, or a folder is named like a file.
        """
        for folder, subfolders, names in os.walk(self.folder, onerror=_cannot_list):
            subfolders[:] = [name for name in subfolders if not name.startswith(("_", "."))]
            for name in subfolders:
                if fnmatchcase(name, self.name):
                    raise LandingError(
                        f"{folder}/{name} is a folder, but a file is expected there: "
                        "move its files up or rename it."
                    )
            for name in names:
                if fnmatchcase(name, self.name) and not name.startswith(("_", ".")):
                    yield _stat(os.path.join(folder, name))


def from_epoch_ms(milliseconds: int) -> datetime:
    """UTC time of milliseconds since 1970, the resolution in which Spark sees file times."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def _stat(path: str) -> LandedFile:
    status = os.stat(path)
    return LandedFile(from_epoch_ms(status.st_mtime_ns // 1_000_000), path, status.st_size)


def _cannot_list(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise LandingError(f"{error.filename}: {error.strerror}") from None
