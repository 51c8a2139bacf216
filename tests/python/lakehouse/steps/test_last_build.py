"""What a run builds: what is new since the last complete build, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dbt.adapters.lakehouse import delta
from deltalake import DeltaTable

from ..conftest import Lakehouse, copy_project

EVENTS = '{"time": 1, "action": "Open"}\n{"time": 2, "action": "Close"}\n'


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """A lakehouse with a few events, built once."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("last_build"))
    land(lakehouse, "file-0.json", EVENTS)
    assert " 0 failed" in lakehouse.run("run")
    yield lakehouse


def land(lakehouse: Lakehouse, name: str, text: str) -> None:
    folder = lakehouse.landing / "events"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def built(lakehouse: Lakehouse) -> set[str]:
    """Tables that the next run writes."""
    before = versions(lakehouse)
    lakehouse.run("run")
    return {name for name, version in versions(lakehouse).items() if version != before.get(name)}


def versions(lakehouse: Lakehouse) -> dict[str, int]:
    names = [name for name in lakehouse.warehouse.tables() if name.split(".")[0] in ("silver", "gold")]
    return {name: DeltaTable(lakehouse.table(name)).version() for name in names}


def test_a_run_builds_what_depends_on_new_rows(lakehouse: Lakehouse) -> None:
    land(lakehouse, "file-1.json", '{"time": 3, "action": "Open"}\n')
    assert built(lakehouse) == {"silver.stg_events__events", "gold.events_by_action", "gold.events_by_hour"}
    assert built(lakehouse) == set()


def test_rows_that_were_only_loaded_are_built_by_the_next_run(lakehouse: Lakehouse) -> None:
    land(lakehouse, "file-2.json", '{"time": 4, "action": "Open"}\n')
    lakehouse.run("load")
    assert "gold.events_by_action" in built(lakehouse)


def test_a_table_that_is_gone_is_built_again(lakehouse: Lakehouse) -> None:
    lakehouse.table("gold.events_by_hour").rename(lakehouse.folder / "gone")
    lakehouse.run("run")
    assert "gold.events_by_hour" in lakehouse.warehouse.tables()


def test_what_failed_and_was_left_out_is_tried_again(lakehouse: Lakehouse) -> None:
    silver = str(lakehouse.table("silver.stg_events__events"))
    delta.append(silver, DeltaTable(silver).to_pyarrow_table().slice(0, 1))
    land(lakehouse, "file-3.json", '{"time": 5, "action": "Open"}\n')
    for _ in range(2):
        output = lakehouse.run("run", exit_code=1)
        assert "stg_events__events_key_missing_or_repeated" in output and " 0 skipped" not in output
    mend = ["build", "--full-refresh", "--select", "stg_events__events", "--exclude", "events_add_up"]
    assert "0 failed" in lakehouse.run(*mend)
    assert built(lakehouse) == {"gold.events_by_action", "gold.events_by_hour"}


def test_a_changed_model_is_built_with_what_depends_on_it(
    lakehouse: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lakehouse.settings, "LAKEHOUSE_PROJECT", str(copy_project(tmp_path / "project")))
    lakehouse.run("run")
    assert built(lakehouse) == set()
    model = tmp_path / "project" / "models" / "gold" / "app" / "events_by_hour.sql"
    model.write_text(f"{model.read_text()}\n-- a remark\n")
    assert built(lakehouse) == {"gold.events_by_hour", "gold.events_by_action"}
