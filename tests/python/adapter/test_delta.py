from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse.delta import WriteError, append, merge, overwrite
from deltalake import CommitProperties, DeltaTable, Transaction

ROWS = pa.table({"id": [1, 2], "name": ["a", "b"]})


@pytest.fixture
def location(tmp_path: Path) -> str:
    return str(tmp_path / "gold.db" / "sales")


def _rows(location: str) -> list[dict[str, object]]:
    rows = DeltaTable(location).to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: str(row.get("id")))


def _version(location: str) -> int:
    return DeltaTable(location).version()


def test_other_columns_and_comments_come_in_one_commit(location: str) -> None:
    overwrite(location, ROWS, description="Sales")
    assert (_version(location), DeltaTable(location).metadata().description) == (0, "Sales")
    schema = pa.schema([pa.field("other", pa.float64(), False, {b"comment": b"The other"})])
    overwrite(location, pa.table({"other": [1.5]}, schema=schema), description="Sales")
    assert _version(location) == 1
    field = DeltaTable(location).schema().fields[0]
    assert (field.name, field.nullable, field.metadata) == ("other", True, {"comment": "The other"})


def test_another_description_alone_is_one_more_commit(location: str) -> None:
    overwrite(location, ROWS, description="Sales")
    overwrite(location, ROWS, description="All sales")
    assert (_version(location), DeltaTable(location).metadata().description) == (2, "All sales")


def test_partitions_come_and_go(location: str) -> None:
    overwrite(location, ROWS, partition_by=["name"])
    assert DeltaTable(location).metadata().partition_columns == ["name"]
    overwrite(location, ROWS)
    assert DeltaTable(location).metadata().partition_columns == []
    assert len(_rows(location)) == 2


def test_an_error_while_reading_leaves_the_table_as_it_was(location: str) -> None:
    overwrite(location, ROWS)

    def broken() -> Iterator[pa.RecordBatch]:
        yield ROWS.to_batches()[0]
        raise OSError("the disk is gone")

    for write in (overwrite, append, lambda place, rows: merge(place, rows, ["id"])):
        with pytest.raises(OSError, match="the disk is gone"):
            write(location, pa.RecordBatchReader.from_batches(ROWS.schema, broken()))
    assert _version(location) == 0


def test_appended_values_take_the_types_of_the_table(location: str) -> None:
    append(location, pa.table({"id": pa.array([1], pa.int64()), "name": ["a"]}))
    append(location, pa.table({"name": ["b"], "id": pa.array([2], pa.int8())}))
    append(location, pa.table({"id": pa.array([3], pa.int16())}))
    assert _rows(location) == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": None}]
    with pytest.raises(WriteError, match=r"gold\.sales: a value of column id, a string, is no int64\."):
        append(location, pa.table({"id": ["nope"]}))
    with pytest.raises(WriteError, match=r"gold\.sales has no column more"):
        append(location, pa.table({"more": [1]}))


def test_a_batch_is_told_by_its_transaction(location: str) -> None:
    append(location, ROWS, commit=CommitProperties(app_transactions=[Transaction("files", 7)]))
    assert DeltaTable(location).transaction_version("files") == 7


def test_merge_updates_inserts_and_deletes(location: str) -> None:
    overwrite(location, pa.table({"id": [1, 2, 3], "name": ["a", "b", "c"]}))
    rows = pa.table({"id": [2, 3, 4, 5], "name": ["B", "C", "D", "E"], "gone": [False, True, None, True]})
    overwrite(location, pa.table({"id": [1, 2, 3], "name": ["a", "b", "c"], "gone": [False] * 3}))
    counts = merge(location, rows, ["id"], delete="s.gone")
    assert [(row["id"], row["name"]) for row in _rows(location)] == [(1, "a"), (2, "B"), (4, "D")]
    assert (counts["num_target_rows_inserted"], counts["num_target_rows_deleted"]) == (1, 1)


def test_merge_without_rows_makes_no_commit(location: str) -> None:
    overwrite(location, ROWS)
    assert merge(location, ROWS.slice(0, 0), ["id"])["num_target_rows_updated"] == 0
    assert _version(location) == 0


def test_merge_refuses_a_key_that_comes_twice(location: str) -> None:
    overwrite(location, ROWS)
    with pytest.raises(WriteError, match=r"gold\.sales: 2 of the rows to merge have the same key \(id\)"):
        merge(location, pa.table({"id": [7, 8, 7], "name": ["x", "y", "z"]}), ["id"])
    assert _version(location) == 0


def test_rows_without_a_key_are_inserted(location: str) -> None:
    overwrite(location, ROWS)
    merge(location, pa.table({"id": pa.array([None, None], pa.int64()), "name": ["x", "y"]}), ["id"])
    assert len(_rows(location)) == 4


def test_merged_text_stays_plain_text(location: str) -> None:
    """A column that may not be null was written as `string_view` by a merge, which Sail refuses."""
    schema = pa.schema([pa.field("id", pa.int64(), False), pa.field("name", pa.string(), False)])
    overwrite(location, ROWS.cast(schema))
    merge(location, ROWS.cast(schema), ["id"])
    assert DeltaTable(location).to_pyarrow_dataset().to_table().schema.field("name").type == pa.string()


def test_merge_updates_only_the_columns_that_it_is_told(location: str) -> None:
    overwrite(location, pa.table({"id": [1], "name": ["a"], "n": [1]}))
    merge(location, pa.table({"id": [1], "name": ["b"], "n": [2]}), ["id"], update=["n"])
    assert _rows(location) == [{"id": 1, "name": "a", "n": 2}]


def test_merge_of_many_rows(location: str) -> None:
    """Merges of more than 8,192 rows were refused by delta-rs 1.6.0, as if keys came twice."""
    count = 300_000
    ids = pa.array(range(count))
    overwrite(location, pa.table({"id": ids, "name": ids.cast(pa.string())}))
    changed = pa.array(range(count // 2, count + count // 2))
    counts = merge(location, pa.table({"id": changed, "name": pa.nulls(count, pa.string())}), ["id"])
    assert (counts["num_target_rows_updated"], counts["num_target_rows_inserted"]) == (count // 2, count // 2)
    written = DeltaTable(location).to_pyarrow_table()
    assert written["id"].unique().__len__() == written.num_rows == count + count // 2
    assert written["name"].null_count == count
