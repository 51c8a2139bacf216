"""Every table can be opened by whatever reads Delta, with the same rows and one kind of timestamps."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyarrow import parquet

from .conftest import Lakehouse

_TIME = pa.timestamp("us", tz="UTC")


def _by_polars(table: DeltaTable) -> pa.Table:
    return pytest.importorskip("polars").read_delta(table.table_uri).to_arrow()


def _by_duckdb(table: DeltaTable) -> pa.Table:
    connection = pytest.importorskip("duckdb").connect()
    connection.register("t", table.to_pyarrow_dataset())
    return connection.sql("from t").to_arrow_table()


@pytest.mark.parametrize("read", [_by_polars, _by_duckdb])
def test_readers_see_the_same_rows(built: Lakehouse, read: Callable[[DeltaTable], pa.Table]) -> None:
    locations = built.warehouse.tables()
    assert len(locations) > 40
    for name, location in locations.items():
        table = DeltaTable(location)
        expected = table.to_pyarrow_table().replace_schema_metadata()
        schema = pa.schema([(field.name, field.type) for field in expected.schema])
        assert _sorted(read(table), schema) == _sorted(expected, schema), name


def _sorted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    return rows.cast(schema).sort_by([(name, "ascending") for name in schema.names])


def test_every_timestamp_is_in_microseconds_and_utc(built: Lakehouse) -> None:
    kinds: set[tuple[pa.DataType, str]] = set()
    for location in built.warehouse.tables().values():
        for address in DeltaTable(location).file_uris():
            file = parquet.ParquetFile(address.removeprefix("file://"))
            physical = {column.name: column.physical_type for column in file.schema}
            times = [field for field in file.schema_arrow if pa.types.is_timestamp(field.type)]
            kinds |= {(field.type, physical[field.name]) for field in times}
    # Spark's older kind is INT96.
    assert kinds == {(_TIME, "INT64")}
