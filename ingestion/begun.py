"""Which versions of its files a batch read: told to the run that repeats it after a kill."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingestion.audit import FileLoad
from ingestion.durable import write_durably


@dataclass(frozen=True)
class Version:
    """A file's bytes at one time; without a checksum it is not known which they were."""

    modified_at: datetime
    size: int
    sha256: str | None


class BegunBatch:
    """The batch of a table that was begun last; `file` keeps it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, batch_id: str, loads: Iterable[FileLoad]) -> None:
        """Write down the files that a batch is about to load."""
        versions = {load.path: (load.modified_at.isoformat(), load.size_bytes, load.sha256) for load in loads}
        write_durably(self._file, json.dumps({"batch_id": batch_id, "versions": versions}))

    def versions(self, batch_id: str) -> dict[str, Version]:
        """The files of a batch by path; none when another was begun since, or the file is lost."""
        try:
            begun = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        if begun["batch_id"] != batch_id:
            return {}
        return {
            path: Version(datetime.fromisoformat(modified_at), size, sha256)
            for path, (modified_at, size, sha256) in begun["versions"].items()
        }
