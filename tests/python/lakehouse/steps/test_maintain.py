"""Maintenance joins and removes files, and loses no row."""

import shutil
import signal
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders
from deltalake import DeltaTable, write_deltalake

from ingestion.landing import s3
from lakehouse.lock import writer_lock

from ..conftest import Lakehouse

APPENDS = 4
# Points of a command with one table: before and after it compacts, looks for files, and removes them.
POINTS = 6
AT_ONCE = ("maintain", "--retain", "0h", "--force")


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    """A table that grew in steps, and what a killed writer left beside it."""
    lakehouse = Lakehouse(tmp_path)
    _grow(lakehouse, "gold.fct_sales")
    return lakehouse


def _grow(lakehouse: Lakehouse, name: str) -> None:
    folder = lakehouse.table(name)
    for number in range(APPENDS):
        rows = pa.table({"number": [number, number], "city": ["San José", "a b:c"]})
        write_deltalake(folder, rows, mode="append", partition_by=["city"])
    (folder / "left.parquet").write_text("half a file")


def _state(lakehouse: Lakehouse, name: str = "gold.fct_sales") -> tuple[object, ...]:
    """Files on disk, versions and rows."""
    folder = lakehouse.table(name)
    rows = lakehouse.rows(f"select city, number from {name} order by city, number")
    return len(list(folder.rglob("*.parquet"))), DeltaTable(folder).version(), rows


def test_files_are_joined_and_kept_for_a_week(lakehouse: Lakehouse) -> None:
    files, version, rows = _state(lakehouse)
    assert "1 changed, 0 bytes freed" in lakehouse.run("maintain")
    assert len(DeltaTable(lakehouse.table("gold.fct_sales")).file_uris()) == 2
    joined = (files + 2, version + 1, rows)  # type: ignore[operator]
    assert _state(lakehouse) == joined
    assert "0 changed" in lakehouse.run("maintain") and _state(lakehouse) == joined
    lakehouse.run("restore", "fct_sales", "--to", "1")
    assert lakehouse.value("select count(*) from gold.fct_sales") == 4


@pytest.mark.parametrize(
    ("retain", "message"),
    [("6d", "is less than 7d"), ("167h", "is less than 7d"), ("a week", "is no period")],
)
def test_a_shorter_time_is_refused(lakehouse: Lakehouse, retain: str, message: str) -> None:
    before = _state(lakehouse)
    assert message in lakehouse.run("maintain", "--retain", retain, exit_code=2)
    assert _state(lakehouse) == before


def test_what_no_version_needs_is_removed_and_old_versions_say_so(lakehouse: Lakehouse) -> None:
    *_, rows = _state(lakehouse)
    assert f"{2 * APPENDS + 1}" in lakehouse.run(*AT_ONCE)
    removed = _state(lakehouse)
    assert removed[0] == 2 and removed[2] == rows
    assert "0 changed, 0 bytes freed" in lakehouse.run(*AT_ONCE) and _state(lakehouse) == removed
    gone = "files of version 1 are gone: `lakehouse maintain` removed them"
    assert gone in lakehouse.run("restore", "fct_sales", "--to", "1", exit_code=1)
    assert gone in lakehouse.run("query", "select sum(number) from gold.fct_sales", "--at", "1", exit_code=1)
    assert _state(lakehouse) == removed


def test_a_kill_at_any_moment_loses_nothing(lakehouse: Lakehouse, tmp_path: Path) -> None:
    lakehouse.settings["FAULT_POINTS"] = str(tmp_path / "points")
    *_, rows = _state(lakehouse)
    shutil.copytree(lakehouse.table("gold.fct_sales"), tmp_path / "before")
    for point in range(2, POINTS + 1, 2):
        shutil.rmtree(lakehouse.table("gold.fct_sales"))
        shutil.copytree(tmp_path / "before", lakehouse.table("gold.fct_sales"))
        faults = (sys.executable, "-m", "tests.python.reliability.faults", "kill", str(point))
        lakehouse.run_apart(*faults, *AT_ONCE, exit_code=-signal.SIGKILL)
        assert _state(lakehouse)[2] == rows
        lakehouse.run(*AT_ONCE)
        files, _, after = _state(lakehouse)
        assert (files, after) == (2, rows)


def test_a_damaged_table_is_named_and_the_others_are_maintained(lakehouse: Lakehouse) -> None:
    _grow(lakehouse, "gold.dim_date")
    (lakehouse.table("gold.dim_date") / "_delta_log" / f"{1:020}.json").unlink()
    output = lakehouse.run("maintain", exit_code=1)
    assert "gold.dim_date: Its log, the folder _delta_log, is damaged" in output
    assert "gold.fct_sales" in output and "1 changed" in output


def test_tables_in_object_storage_are_maintained_too(lakehouse: Lakehouse, bucket: str) -> None:
    lakehouse.settings["LAKEHOUSE_BRONZE"] = place = f"{bucket}/bronze"
    location = Folders(lakehouse.home / "warehouse", {"bronze": place}).location("bronze", "crm_sales")
    for number in range(APPENDS):
        delta.append(location, pa.table({"number": [number]}))
    output = " ".join(lakehouse.run(*AT_ONCE).split())
    assert f"bronze.crm_sales {APPENDS} 1 {APPENDS}" in output
    kept = [found for found in s3.list_objects(f"{location}/") if found.uri.endswith(".parquet")]
    assert len(kept) == 1 and delta.open_table(location).count() == APPENDS
    assert "0 changed" in lakehouse.run(*AT_ONCE)


def test_nothing_is_done_while_another_writes(lakehouse: Lakehouse) -> None:
    with writer_lock(lakehouse.home):
        assert "Another run" in lakehouse.run("maintain", exit_code=2)
