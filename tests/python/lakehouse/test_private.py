"""Who may read what a command writes."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse import private
from lakehouse.cli import main
from lakehouse.lock import writer_lock

from .conftest import write_table


@pytest.fixture(autouse=True)
def usual_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = os.umask(0o022)
    monkeypatch.setattr(private, "_users", 0o022)
    yield
    os.umask(before)


def _mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))[2:]


def _lakehouse(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["lakehouse", "--home", str(home), *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0


def test_a_new_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    private.keep_private(home)
    with writer_lock(home):
        (home / "state").mkdir()
    assert [_mode(path) for path in (home, home / "state", home / ".lock")] == ["700", "700", "600"]


@pytest.mark.parametrize(("of_home", "of_report"), [(0o700, "600"), (0o750, "640"), (0o755, "644")])
def test_files_are_as_open_as_their_home_and_those_asked_for_as_the_user_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_home: int, of_report: str
) -> None:
    home = tmp_path / "home"
    write_table(home / "warehouse", "gold.events_by_action", pa.table({"action": ["a"], "event_count": [1]}))
    home.chmod(of_home)
    _lakehouse(home, monkeypatch, "report")
    _lakehouse(home, monkeypatch, "report", "--out", str(tmp_path / "report.html"))
    assert (_mode(home), _mode(home / "report.html")) == (oct(of_home)[2:], of_report)
    assert _mode(tmp_path / "report.html") == "644"
