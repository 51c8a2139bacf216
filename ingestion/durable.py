"""Small files that outlast a crash."""

import os
from pathlib import Path


def write_durably(file: Path, text: str) -> None:
    """Replace what a file holds, as a whole and on disk when this returns; makes its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    with partial.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
