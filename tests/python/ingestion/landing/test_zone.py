"""Which names are deliveries: those of files that are complete, in a folder, in a bucket and on a Volume."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import s3
from ingestion.landing.auto_loader import auto_loader
from ingestion.landing.zone import FileGlob, LandedFile, is_hidden

COMPLETE = [
    "a.json",
    "a.json.gz",
    "a.json.20240229",
    "a~b.json",
    "part.json",
    "upload.json",
    "a.part.json",
    "a.b.cafe.json",
    "sales_2024.json",
]
ARRIVING = [
    "a.json.filepart",
    "a.json.FILEPART",
    "a.json.gz.part",
    "a.json.1f2e3d.partial",
    "a.json.tmp",
    "a.json.temp",
    "a.json.crdownload",
    "a.json.download",
    "a.json.opdownload",
    "a.json.duckpart",
    "a.json~",
    "a.json.swp",
    "a.json.upload",
    "a.json.uploading",
    "a.json.writing",
    "a.json.inprogress",
    "a.json_.gstmp",
    "a.json.6eF5a0cD",
    "a.json._COPYING_",
    ".a.json",
    "_a.json",
    "~$a.json",
    ".~lock.a.json#",
]


@pytest.mark.parametrize("name", COMPLETE)
def test_complete(name: str) -> None:
    assert not is_hidden(name)


@pytest.mark.parametrize("name", ARRIVING)
def test_still_arriving(name: str) -> None:
    assert is_hidden(name)


def test_a_folder_shows_what_is_complete(tmp_path: Path) -> None:
    for name in [*COMPLETE, *ARRIVING, ".git/b.json", "b.json.download/b.json", "2024/c.json"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = FileGlob(str(tmp_path), "*.json*").files()
    assert {file.path for file in found} == {f"{tmp_path}/{name}" for name in [*COMPLETE, "2024/c.json"]}


def test_a_bucket_shows_what_is_complete(bucket: str) -> None:
    for name in ["a.json", "a.json.filepart", "2024/b.json.tmp", "_tmp/c.json", "2024/d.json"]:
        s3.put_object(f"{bucket}/events/{name}", b"{}")
    found = FileGlob(f"{bucket}/events", "*.json*").files()
    assert {file.path for file in found} == {f"{bucket}/events/a.json", f"{bucket}/events/2024/d.json"}


class _Stream:
    """A stream of Auto Loader that shows some files at once."""

    def __init__(self, paths: list[str]) -> None:
        self._rows = [(path, 1_700_000_000_000, 2) for path in paths]

    def foreachBatch(self, load: Any) -> "_Stream":
        load(self, 0)
        return self

    def collect(self) -> list[tuple[str, int, int]]:
        return self._rows

    def __getattr__(self, name: str) -> Any:
        is_property = name in ("readStream", "writeStream")
        return self if is_property else lambda *arguments, **options: self


def test_a_volume_shows_what_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.landing.auto_loader.F", _Stream([]))
    root = "/Volumes/main/_landing/events"
    names = ["a.json", "a.json.filepart", "2024/b.json.tmp", "_tmp/c.json", "2024/d.json"]
    shown: list[LandedFile] = []
    discover = auto_loader(_Stream([f"{root}/{name}" for name in names]), tmp_path)  # type: ignore[arg-type]
    discover(FileGlob(root, "*.json*", "events"), shown.extend)
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    assert shown == [LandedFile(at, f"{root}/{name}", 2) for name in ("a.json", "2024/d.json")]
