"""The bronze loader: each delivery once, whatever happens to it on the way."""

import ctypes
import gzip
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingestion import bronze
from ingestion.bronze import LOADS, QUARANTINE, LoadError, overwrite_changed
from ingestion.contracts import Column, SourceTable
from ingestion.landing.zone import LandingError
from ingestion.readers.csv import CsvReader
from ingestion.tables.local import LocalTables

HEAD = "id,name\n"
MakeLanding = Callable[..., Any]


@pytest.fixture
def zone(landing: MakeLanding) -> Any:
    """A landing zone for a table that gets changes."""
    return landing()


# What is delivered, and when


def test_a_delivery_counts_once(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n", days_ago=1)
    zone.deliver("copy.csv", f"{HEAD}1,Ann\n")
    outcomes = zone.outcomes()
    assert outcomes["a.csv"].status == "loaded"
    assert (outcomes["copy.csv"].status, outcomes["copy.csv"].rows) == ("duplicate", [])
    assert outcomes["copy.csv"].reason == f"the same bytes as {zone.folder}/a.csv"

    zone.deliver("a.csv", f"{HEAD}1,Anna\n")
    assert zone.statuses() == {"a.csv": "loaded"}
    zone.deliver("a.csv", f"{HEAD}1,Ann\n", days_ago=-1)
    assert zone.statuses() == {"a.csv": "duplicate"}
    assert zone.statuses() == {}
    assert zone.rows() == [(1, "Ann"), (1, "Anna")]


def test_an_older_extract_sent_again_is_a_duplicate(landing: MakeLanding) -> None:
    zone = landing(delivery="complete")
    zone.deliver("monday.csv", f"{HEAD}1,Ann\n", days_ago=2)
    zone.deliver("tuesday.csv", f"{HEAD}1,Anna\n", days_ago=1)
    assert set(zone.statuses().values()) == {"loaded"}
    zone.deliver("monday_again.csv", f"{HEAD}1,Ann\n")
    assert zone.statuses() == {"monday_again.csv": "duplicate"}


def test_statistics_say_which_files_are_new(zone: Any, statistics: Callable[[Path], set[str]]) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    assert statistics(zone.bronze) == {"_ingested_at"}


def test_links_in_the_landing_zone_are_told_and_not_followed(
    zone: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.csv").write_text(f"{HEAD}2,Bob\n")
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    (zone.folder / "b.csv").symlink_to(elsewhere / "b.csv")
    (zone.folder / "outside").symlink_to(elsewhere)
    (zone.folder / "circle").symlink_to(zone.folder)
    assert zone.statuses() == {"a.csv": "loaded"}
    for name in ("b.csv", "outside", "circle"):
        assert f"'{zone.folder / name}' is a link and was left out" in caplog.text
    zone.folder.rename(elsewhere / "files")
    zone.folder.symlink_to(elsewhere / "files")
    (zone.folder / "c.csv").write_text(f"{HEAD}3,Cy\n")
    assert zone.statuses() == {}
    assert f"'{zone.folder}' is a link" in caplog.text


def test_the_landing_zone_itself_may_be_a_link(zone: Any, tmp_path: Path) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.zone.rename(tmp_path / "elsewhere")
    zone.zone.symlink_to(tmp_path / "elsewhere")
    assert zone.statuses() == {"a.csv": "loaded"}


def test_a_refused_file_is_tried_again_until_it_is_right(zone: Any) -> None:
    zone.deliver("a.csv", "id,nam\n1,Ann\n")
    zone.deliver("empty.csv", "")
    for _ in range(2):
        assert zone.statuses() == {"a.csv": "refused", "empty.csv": "refused"}
    assert len(zone.recorded()) == len(zone.quarantine()) == 2

    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.deliver("empty.csv", HEAD)
    assert zone.statuses() == {"a.csv": "loaded", "empty.csv": "loaded"}
    assert zone.rows() == [(1, "Ann")]


def test_a_file_that_is_too_large_costs_no_other_file_and_no_other_table(
    landing: MakeLanding, contract: Callable[..., SourceTable]
) -> None:
    zone, other = landing(path="files/*.csv.gz"), contract(path="others/*.csv")
    zone.deliver("bomb.csv.gz", gzip.compress(bytes(1 << 20)) * 64)
    zone.deliver("broken.csv.gz", gzip.compress(f"{HEAD}1,Ann\n".encode() + b"x\n" * 200_000))
    zone.deliver("good.csv.gz", gzip.compress(f"{HEAD}2,Bob\n".encode()))
    (zone.zone / "others").mkdir()
    (zone.zone / "others" / "a.csv").write_text(f"{HEAD}3,Cy\n")
    for _ in range(2):
        loads = bronze.load(zone.tables, [zone.table, other], str(zone.zone))
        refused = {Path(load.path).name: load.reason for load in loads if load.status == "refused"}
        assert "LAKEHOUSE_MAX_RECORD_BYTES" in (refused.pop("bomb.csv.gz") or "")
        assert "LAKEHOUSE_MAX_BROKEN_RECORDS" in (refused.pop("broken.csv.gz") or "")
        assert refused == {}
    assert zone.rows() == [(2, "Bob")]
    assert zone.tables.select(other.bronze, "select id from {t}").to_pylist() == [{"id": 3}]
    assert {reason for reason, record in zone.quarantine() if record} == set()


def test_waiting_files_are_taken_in_the_order_of_their_arrival(landing: MakeLanding) -> None:
    zone = landing(delivery="complete")
    for name, days_ago in {"c.csv": 4000, "b.csv": 1, "a.csv": 1, "d.csv": 0.5}.items():
        zone.deliver(name, f"{HEAD}1,{name}\n", days_ago)
    same = os.stat(zone.folder / "a.csv").st_mtime
    os.utime(zone.folder / "b.csv", (same, same))
    zone.load()
    zone.deliver("old.csv", f"{HEAD}1,old.csv\n", days_ago=3000)
    zone.load()
    rows = sorted(zone.rows("_ingested_at, name"))
    assert [name for _, name in rows] == ["c.csv", "a.csv", "b.csv", "d.csv", "old.csv"]
    assert len({time for time, _ in rows}) == 5


def test_hundreds_of_files_are_one_batch(zone: Any) -> None:
    for number in range(200):
        zone.deliver(f"{number}.csv", f"{HEAD}{number},Ann\n")
    loads = zone.load().values()
    assert {(load.status, load.rows_loaded) for load in loads} == {("loaded", 1)}
    assert len({load.batch_id for load in loads}) == 1
    assert len(zone.rows()) == len(set(zone.rows("_ingested_at"))) == 200


def test_names_may_hold_anything_and_hidden_files_are_no_deliveries(zone: Any) -> None:
    names = ["a b.csv", "a#b.csv", "a%20b.csv", "a*b.csv", "aXb.csv", "a?{b}.csv", "a[1].csv", "a\\b.csv",
             "Jürg ß.csv", "it's.csv", "a+b&c=d.csv", "sub/below.csv", "sub #2/50%.csv"]  # fmt: skip
    for number, name in enumerate(names):
        zone.deliver(name, f"{HEAD}{number},{name}\n")
    ignored = [
        "_partial.csv",
        ".hidden.csv",
        "a.csv.part",
        "a.csv._COPYING_",
        ".tmp/a.csv",
        "_tmp/a.csv",
        "a.txt",
    ]
    for name in ignored:
        zone.deliver(name, f"{HEAD}99,{name}\n")
    (zone.folder / "gone.csv").symlink_to("nowhere")
    assert zone.statuses() == dict.fromkeys(names, "loaded")
    assert {name for _, name in zone.rows()} == set(names)
    assert zone.statuses() == {}

    zone.deliver("10:30.csv", f"{HEAD}1,Ann\n")
    zone.deliver("a*b.csv", f"{HEAD}3,overwritten\n")
    assert zone.statuses() == {"10:30.csv": "loaded", "a*b.csv": "loaded"}


@pytest.mark.parametrize("arriving", ["a.csv.filepart", "a.csv.tmp", "a.csv.6eF5a0cD", ".a.csv.partial"])
def test_a_file_that_is_still_arriving_is_loaded_when_it_has_its_name(
    landing: MakeLanding, arriving: str
) -> None:
    zone = landing(path="files/*.csv*")
    partial = zone.deliver(arriving, f"{HEAD}1,Ann\n2,B")
    assert zone.statuses() == {}
    partial.write_text(f"{HEAD}1,Ann\n2,Bob\n")
    partial.rename(zone.folder / "a.csv")
    assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.rows() == [(1, "Ann"), (2, "Bob")]


@pytest.mark.parametrize("wrong", ["\x1f\x8b", "a\xff", "a\0b", "\xed\xa0\x80"])
@pytest.mark.parametrize("line", ["{},2,3\n", "2,{}\n", ",{}\n", "2,Bob{},{}\n", '2,"{}\n'])
def test_what_is_no_text_reaches_no_table(zone: Any, wrong: str, line: str) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n{line.replace('{}', wrong)}".encode("latin-1"))
    assert zone.statuses() == {"a.csv": "loaded"}
    # Arrow hands over no text that is not UTF-8.
    texts = [text for row in zone.quarantine() + zone.rows("name, _rescued_data") for text in row if text]
    assert not any("\0" in text for text in texts)
    assert any("\ufffd" in text or "\\u0000" in text for text in texts)
    assert (1, "Ann") in zone.rows()


def test_records_without_their_key_are_in_bronze_and_in_quarantine(landing: MakeLanding) -> None:
    zone = landing(columns="id int, line int, name string", keys=["id", "line"])
    zone.deliver("a.csv", "id,line,name\n1,1,Ann\n1,,Bob\n,2,Cid\nx,3,Dan\n4,4\n")
    load = zone.load()["a.csv"]
    assert (load.rows_loaded, load.rows_rescued, load.rows_quarantined) == (4, 1, 4)
    no_key = "the key is missing: id or line is null"
    assert zone.quarantine() == [
        (no_key, '{"id":1,"name":"Bob"}'),
        (no_key, '{"line":2,"name":"Cid"}'),
        (no_key, '{"line":3,"name":"Dan","_rescued_data":"{\\"id\\":\\"x\\"}"}'),
        ("the record cannot be parsed", "4,4"),
    ]


def test_a_table_may_have_no_key(landing: MakeLanding) -> None:
    zone = landing(keys=[])
    zone.deliver("a.csv", f"{HEAD},Ann\n")
    assert zone.outcomes()["a.csv"].rows == [(None, "Ann")]
    assert zone.quarantine() == []


def test_a_changed_contract_is_refused_with_the_difference(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    _change_contract(zone, id="bigint", tier="int")
    zone.deliver("b.csv", "id,tier\n2,7\n")
    with pytest.raises(
        LoadError, match="column id is int in the table and bigint in the contract"
    ) as failure:
        zone.load()
    assert "column name is no longer in the contract" in str(failure.value)
    assert "column tier (int) is new in the contract" in str(failure.value)
    assert "--overwrite-schema" in str(failure.value)
    assert zone.rows("id, name") == [(1, "Ann")]


def test_a_changed_contract_can_be_taken_over_and_loses_nothing(zone: Any) -> None:
    zone.deliver("a.csv", "id,name,tier\n1,12,7\nx,Bob,\n")
    zone.load()
    before = zone.rows("_source_file, _ingested_at, _batch_id")
    _change_contract(zone, id="string", tier="int")
    assert list(overwrite_changed(zone.tables, [zone.table])) == [zone.table.label]
    assert overwrite_changed(zone.tables, [zone.table]) == {}
    # The old name is kept beside; what was rescued under the new column's name and type fits now.
    assert zone.rows("id, tier, _rescued_data") == [
        ("1", 7, '{"name":"12"}'),
        ("x", None, '{"name":"Bob"}'),
    ]
    assert zone.rows("_source_file, _ingested_at, _batch_id") == before
    zone.deliver("b.csv", "id,tier\n2,8\n")
    assert zone.statuses() == {"b.csv": "loaded"}
    with pytest.raises(Exception, match="append"):
        zone.tables.delete(zone.table.bronze, "true")


def _change_contract(zone: Any, **types: str) -> None:
    zone.table.declared[:] = [
        Column.model_validate({"name": name, "data_type": kind, "description": ""})
        for name, kind in types.items()
    ]


def test_a_table_whose_folder_is_gone_is_not_made_again_empty(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    shutil.rmtree(zone.bronze)
    for _ in range(2):
        with pytest.raises(LoadError, match=f"is gone.*lakehouse clean {zone.table.source}"):
            zone.load()


def test_a_name_that_is_not_in_utf_8_is_refused(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    Path(os.fsdecode(os.fsencode(zone.folder) + b"/caf\xe9.csv")).write_text(f"{HEAD}2,Bob\n")
    refused = {"caf\ufffd.csv": "refused"}
    assert zone.statuses() == refused | {"a.csv": "loaded"}
    zone.deliver("a.csv", f"{HEAD}1,Ann Lee\n")
    assert zone.statuses() == refused | {"a.csv": "loaded"}
    assert set(zone.rows()) == {(1, "Ann"), (1, "Ann Lee")}


def test_a_file_that_changes_while_it_is_read_is_loaded_again(zone: Any, monkeypatch: Any) -> None:
    file = zone.deliver("a.csv", f"{HEAD}1,Ann\n", days_ago=1)
    check = CsvReader.check

    def check_then_change(*arguments: Any) -> None:
        check(*arguments)
        file.write_text(f"{HEAD}1,Bob\n")

    with monkeypatch.context() as patch:
        patch.setattr(CsvReader, "check", check_then_change)
        assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.recorded("sha256") == [(None,)]
    assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.statuses() == {}


# What is wrong around the files


def test_a_missing_landing_zone_is_named(zone: Any, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match=rf"{tmp_path}/none does not exist\. Create it"):
        bronze.load(zone.tables, [zone.table], f"{tmp_path}/none")
    (tmp_path / "none").touch()
    with pytest.raises(LandingError, match=rf"{tmp_path}/none is no folder"):
        bronze.load(zone.tables, [zone.table], f"{tmp_path}/none")


def test_a_missing_folder_of_a_table_is_no_error(zone: Any) -> None:
    zone.folder.rmdir()
    assert zone.statuses() == {}


def test_a_folder_where_a_file_should_be_is_named(zone: Any) -> None:
    zone.deliver("a.csv/b.csv", f"{HEAD}1,Ann\n")
    with pytest.raises(LandingError, match=r"files/a\.csv is a folder, but a file is expected"):
        zone.load()


def test_a_table_that_fails_does_not_stop_the_others(zone: Any, contract: Callable[..., SourceTable]) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    broken = contract(columns="id int, name array<nonsense>")
    states: list[tuple[str, str]] = []

    with pytest.raises(
        LoadError, match=f"^{broken.label}: .*nonsense.*What was loaded of the other tables stays"
    ):
        bronze.load(
            zone.tables,
            [broken, zone.table],
            str(zone.zone),
            lambda progress: states.append((progress.table.label, progress.state)),
        )

    assert zone.rows() == [(1, "Ann")]
    assert {(broken.label, "failed"), (zone.table.label, "done")} <= set(states)


def test_files_and_folders_without_permission_are_named(zone: Any) -> None:
    file = zone.deliver("a.csv", "id,nam\n")
    assert zone.statuses() == {"a.csv": "refused"}
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    file.chmod(0)
    with permissions_in_force():
        outcome = zone.outcomes()["a.csv"]
        assert (outcome.status, outcome.reason) == ("refused", "the file cannot be read: Permission denied")
        zone.folder.chmod(0)
        with pytest.raises(LandingError, match="files: Permission denied"):
            zone.load()
        zone.folder.chmod(0o755)
    file.chmod(0o644)
    assert zone.statuses() == {"a.csv": "loaded"}


@contextmanager
def permissions_in_force() -> Iterator[None]:
    """Take from this thread, and those it starts, root's right to pass over permissions."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may read everything")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
    before = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then their upper halves
    assert libc.capget(header, before) == 0
    dac_override, dac_read_search = 1 << 1, 1 << 2
    reduced = type(before)(*before)
    reduced[0] &= ~(dac_override | dac_read_search)
    assert libc.capset(header, reduced) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


# What is cut short


class Killed(Exception):
    """Stands for the end of the process."""


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch, table: str, when: str) -> Iterator[None]:
    """End the load before or after it appends to a table."""
    append = LocalTables.append

    def append_or_die(self: LocalTables, name: str, rows: pa.Table, metadata: str | None = None) -> None:
        if name != table:
            return append(self, name, rows, metadata)
        if when == "after":
            append(self, name, rows, metadata)
        raise Killed("killed")

    with monkeypatch.context() as patch, pytest.raises(LoadError, match="killed"):
        patch.setattr(LocalTables, "append", append_or_die)
        yield


@pytest.mark.parametrize(
    ("table", "when"),
    [
        (QUARANTINE, "before"),
        (QUARANTINE, "after"),
        (LOADS, "before"),
        (LOADS, "after"),
    ],
)
def test_a_killed_load_can_be_repeated(
    zone: Any, monkeypatch: pytest.MonkeyPatch, table: str, when: str
) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n,Bob\n3\nx,Dan\n")
    zone.deliver("bad.csv", "id,nam\n1,Ann\n")
    with killed(monkeypatch, table, when):
        zone.load()

    zone.load()
    assert zone.rows() == [(1, "Ann"), (None, "Bob"), (None, "Dan")]
    assert [record for (record,) in zone.quarantine("record")] == [
        "3",
        '{"name":"Bob"}',
        '{"name":"Dan","_rescued_data":"{\\"id\\":\\"x\\"}"}',
        None,
    ]
    counts = "status, rows_loaded, rows_rescued, rows_quarantined"
    assert zone.recorded(counts) == [("loaded", 3, 1, 3), ("refused", 0, 0, 0)]
    assert set(zone.rows("_ingested_at, _batch_id")) <= set(zone.recorded("_ingested_at, _batch_id"))


def test_a_file_that_breaks_off_is_refused_and_the_others_load(landing: MakeLanding) -> None:
    zone = landing(path="files/*.csv*")
    zone.deliver("a.csv", f"{HEAD}1,Ann\n3\n")
    rows = "".join(f"{number},{number * 7919 % 10_007}\n" for number in range(50_000))
    zone.deliver("b.csv.gz", gzip.compress(f"{HEAD}{rows}".encode())[:-2000])
    assert zone.statuses() == {"a.csv": "loaded", "b.csv.gz": "refused"}
    assert zone.rows() == [(1, "Ann")]
    assert len(zone.quarantine()) == 2


def test_a_killed_load_that_wrote_no_rows_can_be_repeated(zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    zone.deliver("a.csv", HEAD)
    with killed(monkeypatch, LOADS, "before"):
        zone.load()
    assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.recorded("rows_loaded, rows_quarantined") == [(0, 0)]


def test_a_correction_that_was_killed_can_be_repeated(zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    zone.deliver("a.csv", "id,nam\n1,Ann\n")
    zone.load()
    zone.deliver("a.csv", f"{HEAD}1,Ann\n2\n")
    with killed(monkeypatch, LOADS, "before"):
        zone.load()
    assert zone.load()["a.csv"].rows_quarantined == 1
    assert zone.rows() == [(1, "Ann")]


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=-1), timedelta(days=400)])
def test_a_file_overwritten_after_a_kill_is_loaded_in_both_versions(
    zone: Any, monkeypatch: pytest.MonkeyPatch, later: timedelta
) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    with killed(monkeypatch, LOADS, "before"):
        zone.load()
    overwritten = zone.deliver("a.csv", f"{HEAD}1,Anna\n")
    modified_at = (datetime.now(UTC) + later).timestamp()
    os.utime(overwritten, (modified_at, modified_at))
    for _ in range(2):
        zone.load()
    assert zone.rows() == [(1, "Ann"), (1, "Anna")]
    assert zone.recorded("status, rows_loaded") == [("loaded", 1), ("loaded", 1)]


def test_a_file_with_a_time_to_come_is_loaded_once_though_the_load_was_killed(
    zone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    to_come = (datetime.now(UTC) + timedelta(days=400)).timestamp()
    os.utime(delivered, (to_come, to_come))
    with killed(monkeypatch, LOADS, "before"):
        zone.load()
    for _ in range(2):
        zone.load()
    assert zone.rows() == [(1, "Ann")]
    assert zone.recorded("status, rows_loaded") == [("loaded", 1)]


def test_a_lost_load_log_loads_no_file_of_the_newest_batch_again(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    shutil.rmtree(zone.tables.location(LOADS))
    zone.deliver("b.csv", f"{HEAD}2,Bob\n")
    assert zone.statuses() == {"a.csv": "loaded", "b.csv": "loaded"}
    assert zone.rows() == [(1, "Ann"), (2, "Bob")]


def test_tables_removed_to_load_afresh_are_loaded_afresh(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    shutil.rmtree(zone.bronze)
    zone.tables.delete(LOADS, f"table_name = '{zone.table.name}'")
    assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.rows() == [(1, "Ann")]


def test_a_half_made_table_is_made_anew(zone: Any) -> None:
    (zone.bronze / "_delta_log").mkdir(parents=True)
    (zone.bronze / "_delta_log" / "_commit_7f.json.tmp").write_text("{")
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    assert zone.statuses() == {"a.csv": "loaded"}
    assert zone.rows() == [(1, "Ann")]


def test_a_load_log_of_an_earlier_version_goes_on(zone: Any) -> None:
    zone.deliver("a.csv", f"{HEAD}1,Ann\n")
    zone.load()
    log = zone.tables.select(LOADS, "select * from {t}").drop_columns(["next_offset"])
    zone.tables.overwrite(LOADS, log)
    zone.deliver("b.csv", f"{HEAD}2,Bob\n")
    assert zone.statuses() == {"b.csv": "loaded"}
    assert zone.recorded("status, next_offset") == [("loaded", None)] * 2
