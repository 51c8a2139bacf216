"""What a power cut leaves in a table's log: files whose bytes never reached the disk."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import TableError

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint.*\.parquet")
_HINT = "_last_checkpoint"
_PARQUET = b"PAR1"
# More than the white space that a commit may end with.
_END = 64


@dataclass(frozen=True)
class Commit:
    """A commit in the log of a table: its version and file."""

    version: int
    file: Path


def broken_commit(location: str) -> Commit | None:
    """The newest commit of the table in a folder, where it is empty or cut off; null when it is whole.

    An empty one counts as a commit of nothing for who reads the table.
    """
    commits = _by_version(location, _COMMIT)
    if not commits:
        return None
    version = max(commits)
    (file,) = commits[version]
    return None if is_whole_json(file) else Commit(version, file)


def is_whole_json(file: Path) -> bool:
    """Whether a file of JSON objects begins and ends as such; its bytes may have never reached the disk."""
    first, last = _ends(file, _END)
    return first.startswith(b"{") and last.rstrip().endswith(b"}")


def remove_broken_checkpoint(location: str) -> bool:
    """Remove the newest checkpoint of the table in a folder, where it is cut off; whether it was.

    The commits that it sums up are still there, so nothing is lost.

    Raises:
        TableError: they are not; nothing was removed.
    """
    checkpoints, hint = _by_version(location, _CHECKPOINT), Path(location, "_delta_log", _HINT)
    newest = checkpoints.get(max(checkpoints, default=-1), [])
    broken = [file for file in newest if _ends(file, len(_PARQUET)) != (_PARQUET, _PARQUET)]
    if broken:
        del checkpoints[max(checkpoints)]
    is_stale = hint.exists() and _hinted(hint) not in checkpoints
    if not broken and not is_stale:
        return False
    commits = _by_version(location, _COMMIT)
    start = max(checkpoints, default=-1) + 1
    if not all(version in commits for version in range(start, max(commits, default=start) + 1)):
        raise TableError(
            f"The checkpoint in {location}/_delta_log is cut off, and commits before it are gone. "
            "Restore the folder of the table from a backup."
        )
    # It would lead readers to what is gone.
    hint.unlink(missing_ok=True)
    for file in newest if broken else []:
        file.unlink()
    return True


def _by_version(location: str, pattern: re.Pattern[str]) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = {}
    for file in Path(location, "_delta_log").iterdir():
        if name := pattern.fullmatch(file.name):
            found.setdefault(int(name[1]), []).append(file)
    return found


def _ends(file: Path, size: int) -> tuple[bytes, bytes]:
    with file.open("rb") as opened:
        first = opened.read(size)
        opened.seek(max(0, file.stat().st_size - size))
        return first, opened.read(size)


def _hinted(hint: Path) -> int | None:
    try:
        return int(json.loads(hint.read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        return None
