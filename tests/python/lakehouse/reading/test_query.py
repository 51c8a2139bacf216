"""Queries on tables that lie in their folders."""

from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import print_rows, read
from lakehouse.warehouse import Warehouse

from ..conftest import write_table


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    write_table(tmp_path, "gold.dim_date", pa.table({"year": pa.array([2000, 2001], pa.int32())}))
    return Warehouse(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from gold.dim_date",
        "-- how many\nSELECT count(*) FROM GOLD.DIM_DATE",
        "with years as (select * from `gold`.`dim_date`) select count(*) from years",
        "(select count(*) from {{ ref('dim_date') }})",
    ],
)
def test_queries(warehouse: Warehouse, sql: str) -> None:
    assert read(warehouse, sql).rows == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into gold.dim_date values (2002)",
        "/* why */ delete from gold.dim_date",
        "update gold.dim_date set year = 1",
        "insert overwrite gold.dim_date select 1",
        "drop table gold.dim_date",
        "with years as (select 1) insert into gold.dim_date select * from years",
    ],
)
def test_nothing_is_written(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(LakehouseError):
        read(warehouse, sql)
    assert read(warehouse, "select sum(year) from gold.dim_date").rows == [(4001,)]


def test_a_statement_that_writes_is_refused_with_what_to_do(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="begin with SELECT"):
        read(warehouse, "delete from gold.dim_date")


def test_tables_are_named_where_one_is_missing_only(warehouse: Warehouse) -> None:
    with pytest.raises(LakehouseError, match=r"Tables: gold\.dim_date"):
        read(warehouse, "select 1 from gold.dim_dates")
    with pytest.raises(LakehouseError) as error:
        read(warehouse, "select year year year from gold.dim_date")
    assert "Tables:" not in str(error.value)


def test_a_narrow_terminal_cuts_nothing_off(warehouse: Warehouse) -> None:
    console = Console(width=20, record=True)
    print_rows(read(warehouse, "select 'abcdefghijklmnopqrstuvwxyz' as letters"), "table", console)
    shown = console.export_text()
    assert "".join(letter for letter in shown if letter in "abcdefghijklmnopqrstuvwxyz").endswith("uvwxyz")
