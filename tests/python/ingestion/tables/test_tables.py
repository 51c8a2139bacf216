"""Tables by delta-rs and by Spark: the same loader writes the same rows to both."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from ingestion import bronze
from ingestion.bronze import LOADS, QUARANTINE
from ingestion.bronze.batch import bronze_schema
from ingestion.bronze.load_log import LOADS_SCHEMA
from ingestion.landing.auto_loader import auto_loader
from ingestion.landing.zone import FileGlob
from ingestion.tables import Tables
from ingestion.tables.spark import SparkTables

_COLUMNS = "id int, name string, paid decimal(10,2), day date, seen timestamp, tags array<string>"


def _deliver(zone: Any) -> None:
    header = "id,name,paid,day,seen,tags,extra"
    rows = [
        '1,Ann,1.50,2024-02-29,2024-02-29 10:00:00,"[""a""]",x',
        "2,Bob,1.505,2024-02-30,noon,[1],",
        ",Cid,,,,,",
        "4",
    ]
    zone.deliver("a.csv", "\n".join([header, *rows]), days_ago=1)
    zone.deliver("b.csv.gz", gzip.compress(f"{header}\n5,Eve,2,,,,\n".encode()))
    zone.deliver("bad.csv", "id,nam\n1,Ann\n")


def _contents(tables: Tables, zone: Any) -> list[list[Any]]:
    of_table = f"table_name = '{zone.table.name}'"
    queries = {
        zone.table.bronze: "select id, name, paid, day, seen, tags, _rescued_data, _source_file from {t}",
        QUARANTINE: f"select _source_file, reason, record from {{t}} where {of_table}",
        LOADS: "select _source_file, status, reason, rows_loaded, rows_rescued, rows_quarantined from {t} "
        f"where {of_table}",
    }
    return [sorted(tables.select(name, query).to_pylist(), key=repr) for name, query in queries.items()]


@pytest.mark.spark
def test_spark_loads_the_same_rows(landing: Any, spark: SparkSession) -> None:
    zone = landing(columns=_COLUMNS, path="files/*.csv*")
    _deliver(zone)
    zone.load()
    on_spark = SparkTables(spark)
    for _ in range(2):
        bronze.load(on_spark, [zone.table], str(zone.zone))
    assert _contents(on_spark, zone) == _contents(zone.tables, zone)
    # A load that was killed before the load log is found again.
    on_spark.delete(LOADS, f"table_name = '{zone.table.name}'")
    bronze.load(on_spark, [zone.table], str(zone.zone))
    assert _contents(on_spark, zone) == _contents(zone.tables, zone)


@pytest.mark.spark
def test_spark_takes_over_a_changed_contract(landing: Any, spark: SparkSession) -> None:
    zone = landing(columns="id int, name string")
    zone.deliver("a.csv", "id,name\n1,12\nx,Bob\n")
    on_spark = SparkTables(spark)
    bronze.load(on_spark, [zone.table], str(zone.zone))
    zone.table.declared[1].data_type = "int"
    assert bronze.overwrite_changed(on_spark, [zone.table])
    rows = on_spark.select(zone.table.bronze, "select id, name, _rescued_data from {t} order by id desc")
    assert [tuple(row.values()) for row in rows.to_pylist()] == [
        (1, 12, None),
        (None, None, '{"id":"x","name":"Bob"}'),
    ]


def test_columns_have_their_descriptions(landing: Any) -> None:
    zone = landing()
    zone.table.declared[0].description = "The id"
    zone.tables.create(zone.table.bronze, bronze_schema(zone.table))
    assert zone.tables.schema(zone.table.bronze).field("id").metadata == {b"comment": b"The id"}


def test_what_an_append_brings_is_added_as_a_column(landing: Any) -> None:
    zone = landing()
    zone.tables.create("ops.things", pa.schema([("a", pa.int64())]))
    zone.tables.append("ops.things", pa.table({"a": [1], "b": ["x"]}))
    assert zone.tables.select("ops.things", "select * from {t}").to_pylist() == [{"a": 1, "b": "x"}]


def test_threads_write_to_one_table(landing: Any) -> None:
    zone = landing()
    # As an earlier version left it.
    zone.tables.create(LOADS, pa.schema([field for field in LOADS_SCHEMA if field.name != "next_offset"]))

    def write(source: str) -> None:
        for number in range(5):
            row = {"source": source, "sha256": str(number)}
            zone.tables.append(LOADS, pa.Table.from_pylist([row], schema=LOADS_SCHEMA))
            zone.tables.delete(LOADS, f"source = '{source}' and sha256 = '{number}'")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert zone.tables.select(LOADS, "select * from {t}").num_rows == 0


def test_a_bronze_table_left_open_to_changes_is_closed(landing: Any) -> None:
    zone = landing()
    zone.deliver("a.csv", "id,name\n1,Ann\n")
    zone.load()
    DeltaTable(str(zone.bronze)).alter.set_table_properties({"delta.appendOnly": "false"})
    zone.load()
    with pytest.raises(Exception, match="append"):
        zone.tables.delete(zone.table.bronze, "true")


class _Reader:
    """Stands for Spark's stream reader, as Auto Loader runs on Databricks only; notes its options."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    @property
    def readStream(self) -> "_Reader":
        return self

    def format(self, name: str) -> "_Reader":
        self.asked["format"] = name
        return self

    def options(self, **options: str) -> "_Reader":
        self.asked |= options
        return self

    def load(self, path: str) -> Any:
        self.asked["path"] = path
        raise StopIteration


def test_auto_loader_is_asked_for_new_and_overwritten_files(tmp_path: Path) -> None:
    reader = _Reader()
    discover = auto_loader(reader, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        discover(FileGlob("/Volumes/landing/a[1]", "*.csv", "crm_a"), lambda files: None)
    assert reader.asked == {
        "format": "cloudFiles",
        "cloudFiles.format": "binaryFile",
        "cloudFiles.allowOverwrites": "true",
        "pathGlobFilter": "*.csv",
        "recursiveFileLookup": "true",
        "path": "/Volumes/landing/a\\[1\\]",
    }
