"""What users read when a disk, a file or a setting is at fault."""

import errno
import fcntl
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest

from lakehouse.errors import UsageError
from lakehouse.lock import writer_lock

from .conftest import Lakehouse, write_table

# Even root may then write only where the owner may.
_AS_OTHERS = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    """A home with one table, and an empty landing zone."""
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    write_table(lakehouse.home / "warehouse", "gold.dim_city", pa.table({"city": ["Zürich"]}))
    return lakehouse


@pytest.fixture
def as_others() -> Sequence[str]:
    """A command that runs another one without the rights of root."""
    if shutil.which("setpriv") is None or subprocess.run([*_AS_OTHERS, "true"]).returncode != 0:
        pytest.skip("`setpriv` is missing, or may not take rights away")
    return _AS_OTHERS


def test_a_home_that_is_read_only_can_be_queried(lakehouse: Lakehouse, as_others: Sequence[str]) -> None:
    table = lakehouse.table("gold.dim_city")
    for folder in (lakehouse.home, table, table / "_delta_log"):
        folder.chmod(0o555)
    answer = lakehouse.run_apart(*as_others, "lakehouse", "query", "select city from gold.dim_city")
    assert "Zürich" in answer
    refused = lakehouse.run_apart(*as_others, "lakehouse", "load", exit_code=2)
    assert f"LAKEHOUSE_HOME {lakehouse.home} cannot be used: Permission denied. Give this user" in refused


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_named(tmp_path: Path, code: int) -> None:
    refusal = mock.patch.object(fcntl, "flock", side_effect=OSError(code, "No locks available"))
    with refusal, pytest.raises(UsageError, match=r"on a disk without locks .* NFS 4"), writer_lock(tmp_path):
        raise AssertionError("the lock was given")


def test_a_damaged_table_is_explained_and_its_origin_shown_on_demand(lakehouse: Lakehouse) -> None:
    next(lakehouse.table("gold.dim_city").glob("*.parquet")).unlink()
    sql = "select city from gold.dim_city"
    output = lakehouse.run("query", sql, exit_code=1)
    assert "A data file is missing or damaged. Restore the table's folder from a backup" in output
    assert "gold.db/dim_city/part-" in output and "Traceback" not in output
    lakehouse.settings["LAKEHOUSE_DEBUG"] = "1"
    output = lakehouse.run("query", sql, exit_code=1)
    assert "Traceback" in output and "Object Store error" in output


def test_a_damaged_log_is_explained(lakehouse: Lakehouse) -> None:
    commit = next(lakehouse.table("gold.dim_city").glob("_delta_log/*.json"))
    commit.write_text(commit.read_text()[:100])
    for command in (["query", "select city from gold.dim_city"], ["history", "dim_city"]):
        output = lakehouse.run(*command, exit_code=1)
        assert "gold.dim_city: Its log, the folder _delta_log, is damaged" in output


def test_a_name_that_is_nearly_a_setting_is_warned_of(lakehouse: Lakehouse) -> None:
    lakehouse.settings["LAKEHOUSE_LANDIN"] = "elsewhere"
    assert "Warning: LAKEHOUSE_LANDIN is no setting; did you mean LAKEHOUSE_LANDING?" in lakehouse.run(
        "history", "dim_city"
    )


def test_a_volume_of_databricks_needs_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    without_locks = mock.patch("fcntl.flock", side_effect=OSError(errno.ENOSYS, "Function not implemented"))
    with without_locks, writer_lock(tmp_path / "home"):
        pass
    assert (tmp_path / "home").is_dir()
