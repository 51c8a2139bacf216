"""Writing to the landing zone: a file is there when it is complete, and not before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.landing import s3


def write(address: str, content: bytes, overwrite: bool = False) -> None:
    """Write a file to a folder, in place of an earlier one, or an object to `s3://bucket/key`.

    Raises:
        s3.ObjectExists: there is an object already, which is not to be overwritten.
        OSError: the folder cannot be written to.
    """
    if address.startswith(s3.SCHEME):
        s3.put_object(address, content, overwrite=overwrite)
        return
    with complete_file(Path(address)) as partial:
        partial.write_bytes(content)


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which discovery passes over; the file gets its own name at the end.

    It takes the place of an earlier one. Nothing is left of it where the block raises an error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        _to_disk(partial)
        os.replace(partial, path)
        _to_disk(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Have the disk hold what was written, so that a power cut leaves no empty file under its name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
