"""Files of a folder that are to be uploaded, and their checksums as S3 knows them."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ingestion.landing.zone import LandingError, is_hidden, without_links

PART_BYTES = 8 << 20
_MOST_PARTS = 10_000
_CHUNK = 1 << 20


class FileError(Exception):
    """A file cannot be uploaded, but others can; the message says why, without its name."""


@dataclass(frozen=True)
class LocalFile:
    """A file as it was found: its path, its name below the folder, bytes, time of modification.

    Everything that reads raises `FileError` when the file is not what it was.
    """

    path: Path
    name: str
    size: int
    modified_ns: int

    @cached_property
    def sha256(self) -> str:
        """Checksum in hex."""
        return _digest("sha256", self._chunks(0, self.size))

    def md5(self, offset: int, length: int) -> str:
        """Checksum of a part in hex: its ETag."""
        return _digest("md5", self._chunks(offset, length))

    def etag(self, part_bytes: int | None) -> str:
        """The ETag of an object that was put in parts of this size, or in one piece."""
        if part_bytes is None:
            return self.md5(0, self.size)
        digests = [bytes.fromhex(self.md5(*part)) for part in self.parts(part_bytes).values()]
        return f"{_digest('md5', digests)}-{len(digests)}"

    def parts(self, part_bytes: int | None = None) -> dict[int, tuple[int, int]]:
        """Offset and length of each part by its number, the same each time so that parts are found again."""
        length = part_bytes or max(PART_BYTES, _round_up(-(-self.size // _MOST_PARTS)))
        offsets = range(0, self.size, length)
        return {n: (offset, min(length, self.size - offset)) for n, offset in enumerate(offsets, 1)}

    def content(self, offset: int, length: int) -> bytes:
        """Bytes of a part."""
        return b"".join(self._chunks(offset, length, at_once=length))

    def check(self) -> None:
        """Raise `FileError` when the file is not what it was."""
        status = self.path.stat()
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified_ns):
            raise FileError("changed while it was uploaded; upload it again when it is complete")

    def _chunks(self, offset: int, length: int, at_once: int = _CHUNK) -> Iterator[bytes]:
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while chunk := file.read(min(at_once, length)):
                length -= len(chunk)
                yield chunk
        self.check()


def files_below(folder: Path) -> Iterator[LocalFile]:
    """Files below a folder, without links and without those that are hidden or still being written."""
    if not folder.is_dir():
        raise LandingError(f"{folder} is no folder; give one whose files are to be uploaded")
    for parent, subfolders, names in os.walk(folder, onerror=_cannot_list):
        subfolders[:] = without_links(parent, [name for name in subfolders if not is_hidden(name)])
        for name in without_links(parent, [name for name in names if not is_hidden(name)]):
            yield from _found(Path(parent, name), folder)


def _found(path: Path, folder: Path) -> Iterator[LocalFile]:
    # A file may be moved away while the folder is listed.
    with suppress(FileNotFoundError):
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            name = path.relative_to(folder).as_posix()
            yield LocalFile(path, name, status.st_size, status.st_mtime_ns)


def _cannot_list(error: OSError) -> None:
    raise LandingError(f"{error.filename}: {error.strerror}") from None


def _digest(algorithm: str, chunks: Iterable[bytes]) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _round_up(size: int) -> int:
    return -(-size // _CHUNK) * _CHUNK
