from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.lakehouse.arrow import WriteError
from dbt.adapters.lakehouse.engine import Engine
from dbt.adapters.lakehouse.folders import Folders
from dbt.adapters.lakehouse.statements import StatementError, execute

Run = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Folders(tmp_path))
    yield engine
    engine.sail.close()


@pytest.fixture
def run(engine: Engine) -> Run:
    return lambda sql: execute(engine, sql).to_pylist()


def test_a_table_is_made_once_and_filled(run: Run) -> None:
    for _ in range(2):
        run("/* {} */ create table if not exists ops.t (id int comment 'The id', name string) using delta")
        run("-- a row\ninsert into ops.t values (1, 'a;b')")
    run("insert into ops.t (name) select 'c' union all select 'd';")
    assert run("select * from ops.t order by id nulls last, name") == [
        {"id": 1, "name": "a;b"},
        {"id": 1, "name": "a;b"},
        {"id": None, "name": "c"},
        {"id": None, "name": "d"},
    ]
    assert run("describe table ops.t")[0] == {"col_name": "id", "data_type": "int", "comment": "The id"}


def test_values_take_the_types_of_the_table(run: Run) -> None:
    run("create table ops.t (id bigint, price decimal(10, 2))")
    run("insert into ops.t values (1, 2.345)")
    assert str(run("select price from ops.t")[0]["price"]) == "2.35"
    with pytest.raises(WriteError, match=r"3 columns, where ops\.t takes 2: id, price"):
        run("insert into ops.t values (1, 2, 3)")


def test_columns_of_one_name_are_inserted_by_position(run: Run) -> None:
    run("create table ops.t (a int, b int, c int)")
    run("insert into ops.t select 1, 0, 0")
    assert run("select * from ops.t") == [{"a": 1, "b": 0, "c": 0}]


def test_rows_are_changed_and_deleted(run: Run) -> None:
    run("create table ops.t as select * from values (1, 'a'), (2, 'b'), (3, null) as t (id, name)")
    run("update ops.t set name = concat(name, '!') where id < 3")
    run("delete from ops.t where name = 'a!'")
    assert run("select * from ops.t order by id") == [{"id": 2, "name": "b!"}, {"id": 3, "name": None}]
    run("truncate table ops.t")
    assert run("select * from ops.t") == []


def test_columns_come_go_and_change(run: Run) -> None:
    run("create table ops.t (id int comment 'The id', name string)")
    run("alter table ops.t add columns (n int comment 'How many', tags array<string>)")
    run("alter table ops.t drop column name")
    run("alter table ops.t rename column n to number")
    run("alter table ops.t alter column number type bigint")
    run("alter table ops.t alter column tags comment 'Tags'")
    assert [tuple(column.values()) for column in run("describe ops.t")] == [
        ("id", "int", "The id"),
        ("number", "bigint", "How many"),
        ("tags", "array<string>", "Tags"),
    ]


def test_tables_are_replaced_renamed_copied_and_dropped(run: Run) -> None:
    run("create table ops.t using delta as select 1 as id")
    with pytest.raises(WriteError, match="exists already"):
        run("create table ops.t as select 2 as id")
    run("create or replace table ops.t as with two as (select 2 as id) select * from two")
    run("alter table ops.t rename to ops.u")
    run("create or replace table ops.copy shallow clone ops.u")
    assert run("select * from ops.copy") == [{"id": 2}]
    assert [table["tableName"] for table in run("show tables in ops")] == ["copy", "u"]
    run("drop table ops.u; drop table if exists ops.u")
    with pytest.raises(WriteError, match=r"There is no table ops\.u"):
        run("drop table ops.u")
    run("drop schema ops cascade")
    assert run("show schemas") == []


def test_an_overwrite_replaces_the_partitions_of_which_it_has_rows(run: Run) -> None:
    run("create table ops.t (day date, n int) partitioned by (day)")
    run("insert into ops.t values (date'2024-01-01', 1), (date'2024-01-02', 2), (null, 3)")
    run("insert overwrite ops.t values (date'2024-01-02', 20), (null, 30)")
    assert sorted(row["n"] for row in run("select n from ops.t")) == [1, 20, 30]


def test_a_named_query_lasts_as_long_as_the_session(run: Run) -> None:
    run("create or replace temporary view named as select 1 as id")
    assert run("select * from named") == [{"id": 1}]
    run("drop view named")
    with pytest.raises(Exception, match="named"):
        run("select * from named")


def test_what_is_not_understood_is_refused(run: Run) -> None:
    for sql in ("vacuum ops.t", "grant select on ops.t to someone", "set a.b = c", "frobnicate"):
        with pytest.raises(StatementError, match=f"`{sql.split()[0]}` is not understood"):
            run(sql)
    with pytest.raises(StatementError, match="Write the schema before the name"):
        run("create table t as select 1 as id")


def test_a_copy_of_a_column_has_no_comment(run: Run) -> None:
    run("create table ops.t (id int comment 'The id')")
    run("create table ops.u as select id as other from ops.t")
    assert run("describe ops.u")[0]["comment"] == ""
