"""Queries on tables that lie in their folders."""

import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import read
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
        "\ufeffselect count(*) from {{ref(\"dim_date\")}} where '{{' <> '{%'",
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
        "explain analyze insert into gold.dim_date values (2002)",
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
        read(warehouse, "select 1 from gold.sales")
    with pytest.raises(LakehouseError) as error:
        read(warehouse, "select year year year from gold.dim_date")
    assert "Tables:" not in str(error.value)


@pytest.mark.parametrize("name", ["yaer", "dim_date.yaer", "d.yaer"])
def test_a_column_that_is_missing_is_named(warehouse: Warehouse, name: str) -> None:
    with pytest.raises(LakehouseError, match=f"^No table of the query has a column {name}.$"):
        read(warehouse, f"select {name} from gold.dim_date")


def test_a_float_has_no_more_digits_than_it_holds(warehouse: Warehouse) -> None:
    sql = "select cast(0.1 as float), cast(0.1 as double), cast('NaN' as float), cast(null as float)"
    ((single, double, nan, null),) = read(warehouse, sql).rows
    assert (single, double, str(nan), null) == (0.1, 0.1, "nan", None)


@pytest.mark.parametrize("name", ["gold.dim_dates", "dim_date", "silver.dim_date", "{{ ref('dim_dat') }}"])
def test_a_table_that_is_called_nearly_so_is_proposed(warehouse: Warehouse, name: str) -> None:
    with pytest.raises(LakehouseError, match=r"There is no table .*Did you mean gold\.dim_date\?"):
        read(warehouse, f"select 1 from {name}")


def test_nothing_is_proposed_where_no_name_is_near(warehouse: Warehouse) -> None:
    with pytest.raises(LakehouseError) as error:
        read(warehouse, "select 1 from `gold`.sales")
    assert str(error.value) == "There is no table gold.sales.\nTables: gold.dim_date"


@pytest.mark.parametrize("sql", ["select '{{' as a", "select '{%' as a", "select '{# {{ 1 }} #}' as a"])
def test_braces_are_text(warehouse: Warehouse, sql: str) -> None:
    assert read(warehouse, sql).rows == [(sql.split("'")[1],)]


def test_columns_of_one_name_keep_their_values(warehouse: Warehouse) -> None:
    result = read(warehouse, "select 1 as a, 'x' as a, 2 as b")
    assert (result.columns, result.rows) == (["a", "a", "b"], [(1, "x", 2)])


def test_values_that_python_cannot_hold_are_text(warehouse: Warehouse) -> None:
    sql = """
        select date'0000-02-29', cast('10000-01-01' as date), date'2024-01-01',
            timestamp_micros(1465478580000000000), array(date'0000-01-01', null)
        union all
        select date'2024-01-01', null, null, timestamp'2024-01-01 12:00:00', null
    """
    day = datetime.date(2024, 1, 1)
    assert sorted(read(warehouse, sql).rows, key=str) == [
        ("0000-02-29", "10000-01-01", day, "48409-03-02 15:20:00", ["0000-01-01", None]),
        (day, None, None, datetime.datetime(2024, 1, 1, 12), None),
    ]


def test_nested_values(warehouse: Warehouse) -> None:
    sql = "select named_struct('a', 1, 'b', map(1, x'00')) as s, map(array(1), 'x') as m, array() as nothing"
    assert read(warehouse, sql).rows == [({"a": 1, "b": {1: b"\x00"}}, {"[1]": "x"}, [])]


def test_a_type_that_cannot_be_read_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(LakehouseError, match="cast it to string"):
        read(warehouse, "select interval '1' month as i")


def test_tables_are_read_as_they_were(warehouse: Warehouse) -> None:
    write_table(warehouse.root, "gold.dim_date", pa.table({"year": pa.array([1], pa.int32())}))
    sql = "select count(*) from gold.dim_date"
    for at, rows in (("0", 2), ("1", 1), ("9999-12-31", 1), ("9999-12-31T12:00:00+02:00", 1)):
        assert read(warehouse, sql, at).rows == [(rows,)]
    with pytest.raises(LakehouseError, match="version"):
        read(warehouse, sql, "2000-01-31 12:00:00")


@pytest.mark.parametrize("at", ["yesterday", "-1", "2026-13-01", "' or 1", "1.5", ""])
def test_what_is_no_moment_is_refused_with_what_is_one(warehouse: Warehouse, at: str) -> None:
    with pytest.raises(UsageError, match="neither a version such as 3"):
        read(warehouse, "select 1", at)
