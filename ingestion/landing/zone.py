"""The landing zone: which files lie there for a table."""

import bz2
import gzip
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ingestion.contracts import SourceTable
from ingestion.landing import s3
from ingestion.times import from_epoch_millis

_LOG = logging.getLogger(__name__)
# Spark decompresses by the same endings.
_DECOMPRESSORS: dict[str, Callable[[BinaryIO], object]] = {".gz": gzip.open, ".bz2": bz2.open}
# How names begin and end of what is hidden, locked or still being written.
_HIDDEN = ("_", ".", "~")
_PARTIAL = (
    "._copying_", ".crdownload", ".download", ".duckpart", ".filepart", ".gstmp", ".incomplete",
    ".inprogress", ".opdownload", ".part", ".partial", ".swo", ".swp", ".swx", ".temp", ".tmp", ".upload",
    ".uploading", ".writing", "~", "#",
)  # fmt: skip
# aws s3 cp adds eight random hexadecimal digits, which are no date, to the whole name.
_PARTIAL_OF_AWS = re.compile(r".+\.\w+\.(?=\d*[a-fA-F])[0-9a-fA-F]{8}")


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

    def is_unchanged(self) -> bool:
        """Whether the file lies there as it did."""
        try:
            if _is_remote(self.path):
                stored = s3.head(self.path)
                # Asked for one object, servers tell seconds alone.
                times = [time.replace(microsecond=0) for time in (stored.modified_at, self.modified_at)]
                return times[0] == times[1] and stored.size == self.size
            return _stat(self.path) == (self.modified_at, self.size)
        except FileNotFoundError:
            return False

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
    landing: str = ""

    @classmethod
    def of(cls, table: SourceTable, landing: str) -> "FileGlob":
        """The pattern of `table`, whose name is its label, below the landing zone."""
        pattern = PurePosixPath(table.arrives.path)
        folder = "/".join([landing.rstrip("/"), *pattern.parent.parts])
        return cls(folder, pattern.name, table.identifier, landing.rstrip("/"))

    def files(self) -> Iterator[LandedFile]:
        """Files that match now.

        Raises:
            LandingError: the folder is unreadable, or a folder is named like a file.
        """
        return self.among(list_folder(self.folder, self.landing))

    def among(self, found: "Found") -> Iterator[LandedFile]:
        """Files that match, among those of the folder.

        Raises:
            LandingError: a folder is named like a file.
        """
        for folder in found.folders:
            if fnmatchcase(os.path.basename(folder), self.name):
                raise LandingError(
                    f"{folder} is a folder, but a file is expected there: move its files up or rename it."
                )
        return (file for file in found.files if fnmatchcase(file.path.rsplit("/", 1)[-1], self.name))

    def matches(self, file: LandedFile) -> bool:
        """Whether a file that something else found below the folder is named like `name`, and not hidden."""
        name = file.path.rsplit("/", 1)[-1]
        return fnmatchcase(name, self.name) and not _is_below_hidden(file.path, self.folder)


@dataclass(frozen=True)
class Found:
    """What lies below a folder, without what is hidden or still being written."""

    files: list[LandedFile]
    folders: list[str]


def list_folder(folder: str, landing: str = "") -> Found:
    """What lies below a folder or `s3://...` now; nothing where it does not exist.

    Links below the landing zone, or below the folder without one, are told and not followed.

    Raises:
        LandingError: it is unreadable.
    """
    if _is_remote(folder):
        return _list_objects(folder)
    below = Path(folder).relative_to(landing).parts if landing else ()
    for number, name in enumerate(below):
        if not without_links(os.path.join(landing, *below[:number]), [name]):
            return Found([], [])
    return _walk(folder)


def _list_objects(folder: str) -> Found:
    with _landing_errors():
        return Found(
            [
                LandedFile(found.modified_at, found.uri, found.size)
                for found in s3.list_objects(f"{folder}/")
                if not _is_below_hidden(found.uri, folder)
            ],
            [],
        )


def _walk(root: str) -> Found:
    found = Found([], [])
    for folder, subfolders, names in os.walk(root, onerror=_cannot_list):
        subfolders[:] = without_links(folder, [name for name in subfolders if not is_hidden(name)])
        found.folders.extend(os.path.join(folder, name) for name in subfolders)
        for name in without_links(folder, [name for name in names if not is_hidden(name)]):
            # A file may be moved away while the folder is listed.
            with suppress(FileNotFoundError):
                found.files.append(_landed(os.path.join(folder, name)))
    return found


def without_links(folder: str, names: list[str]) -> list[str]:
    """Names of what really lies in a folder; links are told: they may lead anywhere, or in a circle."""
    links = {name for name in names if os.path.islink(os.path.join(folder, name))}
    for name in links:
        _tell_of_link(os.path.join(folder, name))
    return [name for name in names if name not in links]


@cache
def _tell_of_link(path: str) -> None:
    _LOG.warning("%a is a link and was left out: put the file or folder itself there.", path)


def _landed(path: str) -> LandedFile:
    modified_at, size = _stat(path)
    # Of a name that is not in UTF-8, what can be written down.
    return LandedFile(modified_at, os.fsencode(path).decode(errors="replace"), size)


def read_file(address: str) -> bytes | None:
    """The bytes of a file or object; null where there is none.

    Raises:
        LandingError: it cannot be read.
    """
    try:
        if _is_remote(address):
            with _landing_errors():
                s3.head(address)
        with s3.open_object(address) if _is_remote(address) else open(address, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LandingError(f"{address}: {error.strerror or error}") from None


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


def create_landing(landing: str) -> None:
    """Make the folder of a landing zone where there is none; object storage needs none.

    Raises:
        OSError: it cannot be made.
    """
    if not _is_remote(landing) and not Path(landing).exists():
        Path(landing).mkdir(parents=True)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is passed over: it is hidden, or by its name still being written."""
    return (
        name.startswith(_HIDDEN)
        or name.lower().endswith(_PARTIAL)
        or _PARTIAL_OF_AWS.fullmatch(name) is not None
    )


def _is_below_hidden(path: str, root: str) -> bool:
    """Whether a file, or a folder between it and the root, is hidden."""
    return any(map(is_hidden, path.removeprefix(f"{root}/").split("/")))


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
