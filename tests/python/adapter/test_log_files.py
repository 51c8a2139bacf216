"""What a power cut leaves in a log is recognised, and a lost checkpoint costs nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse.delta import append, open_table
from dbt.adapters.lakehouse.errors import TableError, meaning_of, message_of
from dbt.adapters.lakehouse.folders import Folders
from dbt.adapters.lakehouse.log_files import broken_commit, remove_broken_checkpoint
from dbt.adapters.lakehouse.sail import Sail

_COMMITS = 5


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of five commits with a row each, and a checkpoint after the third."""
    location = tmp_path / "gold.db/sales"
    for number in range(_COMMITS):
        append(str(location), pa.table({"id": [number]}))
        if number == 2:
            open_table(str(location)).create_checkpoint()
    return location


def _log(table: Path, name: str) -> Path:
    return table / "_delta_log" / name


def _commit(table: Path, version: int) -> Path:
    return _log(table, f"{version:020}.json")


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("cut", [_empty, _zeros, _half, Path.unlink])
@pytest.mark.parametrize("name", [f"{2:020}.checkpoint.parquet", "_last_checkpoint"])
def test_a_lost_checkpoint_is_left_out(table: Path, name: str, cut: Callable[[Path], None]) -> None:
    cut(_log(table, name))
    assert remove_broken_checkpoint(str(table)) == (name != "_last_checkpoint" or cut is not Path.unlink)
    assert not remove_broken_checkpoint(str(table))
    append(str(table), pa.table({"id": [_COMMITS]}))
    assert open_table(str(table)).count() == _COMMITS + 1
    sail = Sail(Folders(table.parent.parent))
    assert sail.table("gold.sales").count() == _COMMITS + 1
    sail.close()


def test_a_checkpoint_before_is_enough(table: Path) -> None:
    for version in (0, 1):
        _commit(table, version).unlink()
    open_table(str(table)).create_checkpoint()
    _empty(_log(table, f"{_COMMITS - 1:020}.checkpoint.parquet"))
    assert remove_broken_checkpoint(str(table))
    assert open_table(str(table)).count() == _COMMITS


def test_a_checkpoint_without_the_commits_before_it_is_an_error(table: Path) -> None:
    _commit(table, 0).unlink()
    checkpoint = _log(table, f"{2:020}.checkpoint.parquet")
    _empty(checkpoint)
    with pytest.raises(TableError, match=r"gold\.db/sales.* Restore the folder of the table from a backup"):
        remove_broken_checkpoint(str(table))
    assert checkpoint.exists()


def test_a_whole_log_is_left_alone(table: Path) -> None:
    assert broken_commit(str(table)) is None
    assert not remove_broken_checkpoint(str(table))


@pytest.mark.parametrize("cut", [_empty, _zeros, _half])
def test_a_newest_commit_that_is_cut_off_is_recognised(table: Path, cut: Callable[[Path], None]) -> None:
    newest = _commit(table, _COMMITS - 1)
    cut(newest)
    commit = broken_commit(str(table))
    assert commit and (commit.version, commit.file) == (_COMMITS - 1, newest)


@pytest.mark.parametrize(
    ("harm", "meaning"),
    [
        (lambda table: _half(_commit(table, 4)), "Its log, the folder _delta_log, is damaged"),
        (lambda table: _commit(table, 3).unlink(), "Its log, the folder _delta_log, is damaged"),
        (lambda table: _half(_log(table, f"{2:020}.checkpoint.parquet")), "`lakehouse load` mends that"),
        (
            lambda table: next(table.glob("*.parquet")).unlink(),
            r"A data file is missing.*\(.*part-.*\.parquet",
        ),
        (lambda table: _empty(next(table.glob("*.parquet"))), "A data file is missing or damaged"),
    ],
)
def test_a_damaged_table_is_named_with_what_to_do(
    table: Path, harm: Callable[[Path], None], meaning: str
) -> None:
    harm(table)
    sail = Sail(Folders(table.parent.parent))
    reads = (lambda: sail.table("gold.sales").toArrow(), lambda: open_table(str(table)).to_pyarrow_table())
    for read in reads:
        with pytest.raises(Exception, match=r"\w") as error:
            read()
        assert re.search(meaning, message_of(error.value))
    sail.close()


def test_what_is_not_known_stays_as_it_is() -> None:
    assert meaning_of("column amount does not exist") is None
    assert message_of(ValueError("column amount does not exist")) == "column amount does not exist"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Cannot cast string 'Jane's' to value of Int32 type",
            "Cannot cast string *** to value of Int32 type",
        ),
        (
            """[CAST_INVALID_INPUT] The value 'Jane' of the type "STRING" cannot be cast to "DATE\"""",
            """[CAST_INVALID_INPUT] The value *** of the type "STRING" cannot be cast to "DATE\"""",
        ),
        ("invalid timestamp: Jane", "invalid timestamp: ***"),
    ],
)
def test_a_value_that_cannot_be_cast_is_not_shown(said: str, shown: str) -> None:
    assert message_of(ValueError(said)) == shown
