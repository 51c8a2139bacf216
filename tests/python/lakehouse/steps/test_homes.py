"""A home is its folders: it can be moved, copied, restored, and be one of the version before."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.delta import open_table
from deltalake import DeltaTable

from ingestion.streams.tables import read_tables
from tests.python import PROJECT

from ..conftest import NO_DATA_TESTS, Contents, Lakehouse, differing


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lakehouse, Contents]:
    """A lakehouse with a first delivery, and its contents after a second one."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("homes"), NO_DATA_TESTS, scale=0.02)
    lakehouse.deliver(1)
    lakehouse.run("run")
    lakehouse.save()
    lakehouse.deliver(2)
    lakehouse.run("run")
    return lakehouse, lakehouse.everything()


@pytest.fixture
def lakehouse(saved: tuple[Lakehouse, Contents]) -> Lakehouse:
    """The first delivery is loaded and built, the second one waits."""
    lakehouse, _ = saved
    lakehouse.go_back()
    lakehouse.deliver(2)
    return lakehouse


@pytest.fixture
def undisturbed(saved: tuple[Lakehouse, Contents]) -> Contents:
    return saved[1]


def test_a_copy_goes_on_by_itself(lakehouse: Lakehouse, undisturbed: Contents, tmp_path: Path) -> None:
    before = _checksums(lakehouse.home)
    shutil.copytree(lakehouse.home, tmp_path / "home")
    copy = Lakehouse(tmp_path, lakehouse.settings | {"LAKEHOUSE_LANDING": str(lakehouse.landing)})
    copy.run("run")
    assert differing(copy.everything(), undisturbed) == []
    assert _checksums(lakehouse.home) == before


def test_a_home_that_is_moved_with_its_files_goes_on(
    lakehouse: Lakehouse, undisturbed: Contents, tmp_path: Path
) -> None:
    for place in (lakehouse.home, lakehouse.landing):
        shutil.copytree(place, tmp_path / "before" / place.name)
    (tmp_path / "before").rename(tmp_path / "after")
    moved = Lakehouse(tmp_path / "after", lakehouse.settings)
    moved.run("run")
    # Files have other names now; they are known by their bytes.
    statuses = moved.rows("select status, count(*) from ops.loads group by status order by status")
    assert [status for status, _ in statuses] == ["duplicate", "loaded"]
    # Ids of events are made of the names of files.
    assert differing(moved.everything(), undisturbed) == ["ops.loads", "silver.stg_events__events"]
    for name in ("silver.stg_events__events", "gold.events_by_action"):
        assert len(moved.contents("silver", "gold")[name]) == len(undisturbed[name])


def test_a_home_that_is_restored_loads_again_what_came_since(
    lakehouse: Lakehouse, undisturbed: Contents, tmp_path: Path
) -> None:
    shutil.copytree(lakehouse.home, tmp_path / "backup")
    lakehouse.run("run")
    shutil.rmtree(lakehouse.home)
    shutil.copytree(tmp_path / "backup", lakehouse.home)
    lakehouse.run("run")
    assert differing(lakehouse.everything(), undisturbed) == []


# By what the kill left: an empty log, a commit that was only begun, and rows without a commit.
_EMPTY = (
    "bronze.crm_cust_info",
    "silver.stg_erp__customers",
    "silver.workouts",
    "gold.dim_date",
    "ops.loads",
)
_BEGUN = ("bronze.events_events", "silver.stg_crm__sales", "gold.gym_summary", "snapshots.crm_customers")
_STREAMED = ("silver.users", "silver.heart_rate")
_WITH_ROWS = ("bronze.gym_gym_logins", "silver.users", "gold.fct_sales")


def test_tables_that_were_only_begun_are_made_anew(lakehouse: Lakehouse, undisturbed: Contents) -> None:
    files = [next(lakehouse.table(name).rglob("*.parquet")) for name in _WITH_ROWS]
    rows = {file: file.read_bytes() for file in files}
    lakehouse.clear()
    for name in (*_EMPTY, *_BEGUN, *_WITH_ROWS):
        (lakehouse.table(name) / "_delta_log").mkdir(parents=True)
    for name in _BEGUN:
        temporary = lakehouse.table(name) / "_delta_log" / f"_commit_{uuid.uuid4()}.json.tmp"
        temporary.write_text('{"protocol"')
    for file, content in rows.items():
        file.write_bytes(content)
    for number in (1, 2):
        lakehouse.deliver(number)
        lakehouse.run("run")
    assert differing(lakehouse.everything(), undisturbed) == []


def test_what_is_left_of_a_table_is_cleaned_too(lakehouse: Lakehouse, undisturbed: Contents) -> None:
    lakehouse.clear()
    begun = lakehouse.table("bronze.events_events")
    (begun / "_delta_log").mkdir(parents=True)
    (begun / "part-0.parquet").touch()
    assert "bronze.events_events" in lakehouse.run("clean", "events", "--yes")
    assert not begun.exists()
    for number in (1, 2):
        lakehouse.deliver(number)
        lakehouse.run("run", "--source", "events")
    rows = lakehouse.contents("bronze")["bronze.events_events"]
    assert rows == undisturbed["bronze.events_events"]


def test_what_a_power_cut_took_is_made_anew(lakehouse: Lakehouse, undisturbed: Contents) -> None:
    lakehouse.run("run")
    cut = (
        "ops.loads",
        _logged_last(lakehouse),
        "silver.stg_crm__sales",
        "gold.fct_sales",
        "snapshots.crm_customers",
    )
    for name in (*cut, *_STREAMED):
        _newest(lakehouse, name).write_bytes(b"")
    for name in ("bronze.erp_cust_az12", "gold.dim_product"):
        open_table(str(lakehouse.table(name))).create_checkpoint()
        next(lakehouse.table(name).glob("_delta_log/*.checkpoint.parquet")).write_bytes(b"")
    (lakehouse.home / "state/local/manifest.json").write_bytes(b"")
    output = lakehouse.run("run")
    assert all(f"{name}: its newest commit was cut off" in output for name in (*cut, *_STREAMED))
    assert output.count("its newest checkpoint was cut off") == 2
    assert differing(lakehouse.everything(), undisturbed) == []


def test_bronze_that_lost_what_was_logged_says_what_to_do(
    lakehouse: Lakehouse, undisturbed: Contents
) -> None:
    lakehouse.run("load", "--source", "crm")
    commit = _newest(lakehouse, "bronze.crm_cust_info")
    commit.write_text("{")
    output = lakehouse.run("run", exit_code=1)
    assert f"bronze.crm_cust_info: its newest commit, {commit}, is empty or cut off" in output
    assert "lakehouse clean SOURCE" in output and commit.exists()
    lakehouse.run("clean", "crm", "--yes")
    for number in (1, 2):
        lakehouse.deliver(number)
    lakehouse.run("load", "--source", "crm")
    name = "bronze.crm_cust_info"
    assert lakehouse.contents("bronze")[name] == undisturbed[name]


def test_a_streamed_table_that_is_gone_is_made_anew(lakehouse: Lakehouse, undisturbed: Contents) -> None:
    shutil.rmtree(lakehouse.table("silver.users"))
    lakehouse.run("run", "--source", "gym")
    name = "silver.users"
    assert lakehouse.contents("silver")[name] == undisturbed[name]


def test_a_home_of_the_version_before_goes_on(lakehouse: Lakehouse, undisturbed: Contents) -> None:
    _age(lakehouse)
    lakehouse.run("run")
    assert differing(lakehouse.everything(), undisturbed) == []


def _age(lakehouse: Lakehouse) -> None:
    """Make of a home what Spark left: no offsets, nothing noted in Delta's logs, but checkpoints."""
    streamed = {table.silver for table in read_tables(PROJECT / "models").values()}
    for name in lakehouse.warehouse.tables():
        if name.startswith("bronze.") or name in streamed:
            _rewrite(lakehouse, name, lambda rows: rows)
    _rewrite(lakehouse, "ops.loads", lambda rows: rows.drop_columns("next_offset"))
    quarantine = DeltaTable(lakehouse.table("ops.quarantine"))
    batch = f"'silver-{uuid.uuid4()}-0'"
    quarantine.update(updates={"_batch_id": batch}, predicate="_batch_id like 'silver-%'")
    for folder in ("checkpoints/silver/gym_kafka_multiplex/offsets", "metastore/seg0"):
        (lakehouse.home / folder).mkdir(parents=True)
        (lakehouse.home / folder / "0").write_text("v1")


def _rewrite(lakehouse: Lakehouse, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    location = str(lakehouse.table(name))
    table = DeltaTable(location)
    rows, configuration = change(table.to_pyarrow_table()), table.metadata().configuration
    shutil.rmtree(location)
    delta.overwrite(location, rows, configuration=configuration)


def _newest(lakehouse: Lakehouse, name: str) -> Path:
    """The newest commit of a table."""
    return max(lakehouse.table(name).glob("_delta_log/*.json"))


def _logged_last(lakehouse: Lakehouse) -> str:
    """The bronze table of which the newest commit to the load log tells."""
    commit = map(json.loads, _newest(lakehouse, "ops.loads").read_text().splitlines())
    (file,) = (entry["add"]["path"] for entry in commit if "add" in entry)
    row = pq.read_table(lakehouse.table("ops.loads") / file).slice(0, 1).to_pylist()[0]
    return f"bronze.{row['source']}_{row['table_name']}"


def _checksums(folder: Path) -> dict[Path, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
