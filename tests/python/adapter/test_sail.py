import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse.delta import append, overwrite
from dbt.adapters.lakehouse.folders import Folders
from dbt.adapters.lakehouse.sail import Cancelled, Sail, is_query

THREE = pa.table({"id": [1, 2, 3], "name": ["a", "b", None]})


@pytest.fixture
def sail(tmp_path: Path) -> Iterator[Sail]:
    sail = Sail(Folders(tmp_path))
    yield sail
    sail.close()


def _write(sail: Sail, name: str, rows: pa.Table) -> None:
    overwrite(sail.folders.location(*name.split(".")), rows)


def test_tables_are_found_whatever_the_case_of_their_names(sail: Sail) -> None:
    _write(sail, "gold.sales", THREE)
    for name in ("gold.sales", "Gold.SALES", "`gold`.`sales`"):
        assert sail.query(f"select count(*) from {name}").collect()[0][0] == 3


def test_a_table_is_seen_as_it_is_now(sail: Sail) -> None:
    _write(sail, "gold.sales", THREE)
    assert sail.table("gold.sales").columns == ["id", "name"]
    _write(sail, "gold.sales", pa.table({"name": [1.5], "new": [True]}))
    assert sail.table("gold.sales").toArrow().to_pylist() == [{"name": 1.5, "new": True}]


def test_a_table_that_went_and_came_again(sail: Sail, tmp_path: Path) -> None:
    _write(sail, "gold.sales", THREE)
    assert sail.table("gold.sales").count() == 3
    (tmp_path / "gold.db" / "sales").rename(tmp_path / "gone")
    sail.forget("GOLD", "sales")
    with pytest.raises(Exception, match="not found: sales"):
        sail.table("gold.sales").collect()
    _write(sail, "gold.sales", THREE.slice(1))
    assert sail.table("gold.sales").count() == 2


def test_a_stream_has_the_types_that_every_reader_has(sail: Sail) -> None:
    reader = sail.stream(
        "select 'a' as t, timestamp'2024-01-01 00:00:00' as at, "
        "timestamp_ntz'2024-01-01 00:00:00' as local_at, array(struct(1 as x)) as nested, "
        "cast(1 as decimal(5, 2)) as d"
    )
    time = pa.timestamp("us", "UTC")
    assert reader.schema.types == [
        pa.string(),
        time,
        time,
        pa.list_(pa.field("element", pa.struct([("x", pa.int32())]))),
        pa.decimal128(5, 2),
    ]
    assert all(field.nullable for field in reader.schema)
    assert reader.read_all().num_rows == 1


def test_a_stream_may_have_columns_of_one_name(sail: Sail) -> None:
    assert [column.to_pylist() for column in sail.stream("select 1 as a, 'x' as a").read_all()] == [
        [1],
        ["x"],
    ]


def test_a_stream_without_rows_has_columns(sail: Sail) -> None:
    reader = sail.stream("select 1 as a where false")
    assert (reader.schema.names, reader.read_all().num_rows) == (["a"], 0)


def test_a_table_of_the_past(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    overwrite(folders.location("gold", "sales"), THREE)
    append(folders.location("gold", "sales"), THREE)
    before, now = Sail(folders, at="0"), Sail(folders)
    assert (before.table("gold.sales").count(), now.table("gold.sales").count()) == (3, 6)
    before.close()
    now.close()


def test_a_folder_whose_path_is_no_plain_url(tmp_path: Path) -> None:
    sail = Sail(Folders(tmp_path / "mein Büro, 100%"))
    _write(sail, "gold.sales", THREE)
    assert sail.table("gold.sales").count() == 3
    sail.close()


def test_threads_share_a_sail(sail: Sail) -> None:
    _write(sail, "gold.sales", THREE)
    with ThreadPoolExecutor(8) as threads:
        counts = threads.map(lambda _: sail.table("gold.sales").count(), range(16))
    assert set(counts) == {3}


def test_a_cancelled_query_is_not_taken_for_a_short_one(sail: Sail) -> None:
    rows = sail.stream("select a.id from range(1000000000) as a cross join range(1000)")

    def cancelled() -> Iterator[pa.RecordBatch]:
        yield rows.read_next_batch()
        sail.cancel()
        yield from rows

    location = sail.folders.location("gold", "sales")
    with pytest.raises(Cancelled):
        overwrite(location, pa.RecordBatchReader.from_batches(rows.schema, cancelled()))
    assert not sail.folders.exists("gold", "sales")
    assert sail.query("select 1").collect()[0][0] == 1


def test_ctrl_c_is_for_python(sail: Sail) -> None:
    """Sail's server took it for its own end, and dbt waited on."""
    sail.query("select 1").collect()
    # What runs in the background begins without hearing it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sail.query("select 1").collect()[0][0] == 1


def test_only_queries_are_answered(sail: Sail) -> None:
    assert is_query("/* {} */ -- a\n (select 1)") and is_query("with a as (select 1) select * from a")
    # What is explained and analyzed is carried out.
    for statement in ("-- select\ninsert into a.b values (1)", "explain analyze insert into a.b values (1)"):
        assert not is_query(statement)
    with pytest.raises(ValueError, match="answers queries"):
        sail.query("drop table gold.sales")


@pytest.mark.parametrize(
    "sql", ["explain analyze insert into a values (1)", "explain insert into a values (1)"]
)
def test_what_would_be_carried_out_is_no_query(sql: str) -> None:
    assert not is_query(sql)
    assert is_query("explain select 1")
