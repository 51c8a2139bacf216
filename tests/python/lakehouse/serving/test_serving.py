"""A client of Hive's protocol reads the tables, and can do nothing else."""

import subprocess
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyspark
import pytest
from pyhive import hive
from pyhive.exc import DatabaseError
from TCLIService import ttypes

from lakehouse.serving import protocol
from lakehouse.warehouse import Warehouse

from ..conftest import Lakehouse, write_table
from .conftest import PASSWORD

Ask = Callable[[str], list[tuple[object, ...]]]
Connect = Callable[..., hive.Connection]


def test_values_arrive_as_they_are(ask: Ask) -> None:
    first, second, third = ask("select * from fct_sales order by id")
    assert first[:4] == (1, Decimal("12.50"), "2026-01-31", datetime(2026, 1, 31, 12, 0, 0, 250_000))
    assert first[4:] == (True, 1, 0.5, "O'Brien", '["a", "b"]')
    assert second == (2, *[None] * 8)
    assert third[7:] == ("Zoë \\ ;", "[]") and third[1] == Decimal("-0.01")


def test_many_rows_come_in_parts(connect: Connect) -> None:
    cursor = connect("silver").cursor(arraysize=999)
    cursor.execute("select n from many order by n")
    assert [n for (n,) in cursor] == list(range(25_000))
    assert cursor.description[0][:2] == ("n", "INT_TYPE")


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("select count(*) from GOLD.FCT_Sales;", [(3,)]),
        ("with many as (select 1 as n) select n from many", [(1,)]),
        ("select s.id from fct_sales s join silver.many m on s.id = m.n where m.n > 2", [(3,)]),
        (
            "select count(*) from (select * from fct_sales union all select * from `gold`.`fct_sales`) a",
            [(6,)],
        ),
        ("select name from fct_sales where name = 'O\\'Brien' -- insert into fct_sales", [("O'Brien",)]),
        ("values (1), (2)", [(1,), (2,)]),
        ("select id from range(2)", [(0,), (1,)]),
        ("show schemas", [("gold",), ("silver",)]),
        ("show tables in silver", [("silver", "many", False)]),
        ("show tables like 'fct*'", [("gold", "fct_sales", False)]),
        ("describe silver.many", [("n", "INT", None)]),
    ],
)
def test_what_is_answered(ask: Ask, statement: str, rows: list[tuple[object, ...]]) -> None:
    assert ask(statement) == rows


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("insert into fct_sales select * from fct_sales", "Only queries are answered"),
        ("create table gold.new as select 1", "Only queries are answered"),
        ("drop table fct_sales", "Only queries are answered"),
        ("create temporary view v as select 1", "Only queries are answered"),
        ("select 1; drop table fct_sales", "one at a time"),
        ("with a as (select 1) insert into fct_sales select * from a", "Only queries are answered"),
        ("refresh table fct_sales", "Only queries are answered"),
        ("select * from parquet.`{root}/gold.db/fct_sales`", "There is no table parquet."),
        ("select * from delta.`{root}/gold.db/fct_sales`", "There is no table delta."),
        ("select * from `/etc/passwd`", "There is no table gold./etc/passwd"),
        ("select * from text.`/etc/passwd`", "There is no table text."),
        ("select * from read_files('/etc/passwd')", "read_files() is not answered"),
        ("select * from csv_scan('/etc/passwd')", "csv_scan() is not answered"),
        ("select id from (select * from parquet.`/etc/passwd`) a", "There is no table parquet."),
        ("select * from lake.gold.fct_sales", "tables have two names"),
        ("select * from fct_sale", "Did you mean gold.fct_sales?"),
        ("select nothing from fct_sales", "has a column nothing"),
        ("select from where", "This cannot be read as SQL"),
        ("use elsewhere", "There is no schema elsewhere. There are default, gold, silver."),
    ],
)
def test_what_is_refused(
    ask: Ask, warehouse: Warehouse, statement: str, message: str, tmp_path: Path
) -> None:
    before = sorted(warehouse.root.rglob("*"))
    with pytest.raises(DatabaseError) as error:
        ask(statement.format(root=warehouse.root))
    assert message in str(error.value)
    assert sorted(warehouse.root.rglob("*")) == before
    assert ask("select count(*) from fct_sales") == [(3,)]


def test_a_new_table_and_new_rows_are_there_at_once(ask: Ask, warehouse: Warehouse) -> None:
    write_table(warehouse.root, "gold.new", pa.table({"n": [1]}))
    assert ask("select n from new") == [(1,)]
    write_table(warehouse.root, "gold.new", pa.table({"n": [1, 2]}))
    assert ask("select count(*) from new") == [(2,)]
    assert ("gold", "new", False) in ask("show tables")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_without_the_password_nothing_is_said(connect: Connect, password: str) -> None:
    with pytest.raises(EOFError):
        connect(password=password)


def test_a_statement_can_be_cancelled(connect: Connect) -> None:
    cursor = connect("silver").cursor()
    cursor.execute(
        "select sum(a.id * b.id) from range(1000000000) as a cross join range(1000000) as b", async_=True
    )
    cursor.cancel()
    assert cursor.poll().operationState == ttypes.TOperationState.CANCELED_STATE
    cursor.execute("select count(*) from many")
    assert cursor.fetchall() == [(25_000,)]


def test_forgotten_connections_are_ended(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 2)
    first, second, third = (connect().cursor() for _ in range(3))
    with pytest.raises(DatabaseError, match="was ended"):
        first.execute("select 1")
    for cursor in (second, third):
        cursor.execute("select 1")
        assert cursor.fetchall() == [(1,)]


def test_it_needs_a_password(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    assert "Set LAKEHOUSE_SERVE_PASSWORD first" in lakehouse.run("serve", exit_code=2)


@pytest.mark.spark
def test_a_jdbc_client_reads_and_browses(port: int) -> None:
    url = f"jdbc:hive2://127.0.0.1:{port}/gold;transportMode=http;httpPath=cliservice"
    asked = (
        "!tables",
        "!columns fct_sales",
        "select id, amount, sold_at, tags from fct_sales order by id;",
        "drop table fct_sales;",
        "select count(*) as still from fct_sales;",
    )
    jars, beeline = f"{Path(pyspark.__file__).parent}/jars/*", "org.apache.hive.beeline.BeeLine"
    login = ("-u", url, "-n", "me", "-p", PASSWORD)
    answered = subprocess.run(
        ["java", "-cp", jars, beeline, *login, "--outputformat=tsv2", "--force=true"],
        input="\n".join(asked) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = answered.stdout.splitlines()
    assert '1\t12.50\t2026-01-31 12:00:00.25\t["a", "b"]' in lines, answered.stderr[-2000:]
    assert any(line.split("\t")[1:4] == ["gold", "fct_sales", "TABLE"] for line in lines)
    assert any(line.split("\t")[3:6] == ["amount", "3", "DECIMAL(18,2)"] for line in lines)
    assert "Only queries are answered" in answered.stderr
    assert lines[lines.index("still") + 1] == "3"
