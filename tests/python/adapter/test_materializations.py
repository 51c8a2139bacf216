import json
from pathlib import Path
from typing import Any

import pytest
from dbt.tests.util import run_dbt, run_dbt_and_capture, write_file
from deltalake import DeltaTable

Projects = Any


def _location(project: Projects, name: str) -> str:
    with project.adapter.connection_named("test"):
        return str(project.adapter.engine.location((project.test_schema, name)))


def _versions(project: Projects, name: str) -> int:
    return DeltaTable(_location(project, name)).version() + 1


def _rows(project: Projects, sql: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = project.run_sql(sql.replace("@", f"{project.test_schema}."), fetch="all")
    return rows


def _write(sql: str, name: str = "model") -> None:
    write_file(sql, "models", f"{name}.sql")


class _Model:
    """A project with a model of this SQL."""

    sql = "select 1 as id"
    yml = "version: 2"

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"model.sql": self.sql, "model.yml": self.yml}


class TestTable(_Model):
    sql = "{{ config(materialized='table') }} select 1 as id, 'a' as name"
    yml = """
version: 2
models:
  - name: model
    description: The 'first' model
    config:
      persist_docs: {relation: true, columns: true}
      tblproperties: {delta.logRetentionDuration: interval 9 days}
    columns: [{name: id, description: The id}]
"""

    def test_other_columns_and_comments_are_one_commit(self, project: Projects) -> None:
        run_dbt(["run"])
        table = DeltaTable(_location(project, "model"))
        assert (table.version(), table.metadata().description) == (0, "The 'first' model")
        assert table.metadata().configuration["delta.logRetentionDuration"] == "interval 9 days"
        assert table.schema().fields[0].metadata == {"comment": "The id"}
        _write("{{ config(materialized='table') }} select 'x' as other, 2.5 as id")
        run_dbt(["run"])
        assert (_versions(project, "model"), _rows(project, "select other, id from @model")) == (
            2,
            [("x", 2.5)],
        )

    def test_a_model_that_fails_leaves_its_table(self, project: Projects) -> None:
        run_dbt(["run"])
        before = _versions(project, "model")
        _write("{{ config(materialized='table') }} select cast(id as int) as id from values ('x') as t (id)")
        [result] = run_dbt(["run"], expect_pass=False)
        assert "***" in result.message and "'x'" not in result.message and "\n\n" not in result.message
        assert _versions(project, "model") == before

    def test_a_table_that_was_only_begun_is_made_anew(self, project: Projects) -> None:
        _write("{{ config(materialized='incremental') }} select 1 as id", "begun")
        Path(_location(project, "begun"), "_delta_log").mkdir(parents=True)
        run_dbt(["run", "--select", "begun"])
        assert _rows(project, "select * from @begun") == [(1,)]

    def test_grants_are_ignored_with_a_word(self, project: Projects) -> None:
        _write("{{ config(materialized='table', grants={'select': ['someone']}) }} select 1 as id", "granted")
        _, log = run_dbt_and_capture(["run", "--select", "granted"])
        assert "grants are ignored" in log


class TestIncremental(_Model):
    sql = """
{{ config(materialized='incremental', unique_key='id') }}
select cast(id as bigint) as id, cast(id as decimal(10, 2)) as price from values (1), (2) as t (id)
"""
    later = "{{ config(materialized='incremental', unique_key='id', %s) }} %s"

    @pytest.fixture(autouse=True)
    def built(self, project: Projects) -> None:
        _write(self.sql)
        run_dbt(["run", "--full-refresh"])

    def _run(self, sql: str, config: str = "tags=[]", expect_pass: bool = True) -> Any:
        _write(self.later % (config, sql))
        return run_dbt(["run"], expect_pass=expect_pass)[0]

    def test_merged_values_take_the_types_of_the_table(self, project: Projects) -> None:
        self._run("select 2 as id, 2.345 as price union all select 3, 3")
        assert [str(row[1]) for row in _rows(project, "select * from @model order by id")] == [
            "1.00",
            "2.35",
            "3.00",
        ]

    def test_nothing_new_makes_no_commit(self, project: Projects) -> None:
        before = _versions(project, "model")
        self._run("select 2 as id, 2 as price where false")
        assert _versions(project, "model") == before

    def test_a_key_that_comes_twice_is_refused(self, project: Projects) -> None:
        before = _versions(project, "model")
        result = self._run("select 7 as id, id as price from range(2)", expect_pass=False)
        assert ".model: 2 of the rows to merge have the same key (id)" in result.message
        assert _versions(project, "model") == before

    def test_a_column_more_is_refused_where_changes_fail(self, project: Projects) -> None:
        result = self._run("select 1 as id, 1 as price, 1 as n", "on_schema_change='fail'", expect_pass=False)
        assert "out of sync" in result.message

    def test_all_columns_follow_the_model(self, project: Projects) -> None:
        self._run("select 3 as id, 'c' as name", "on_schema_change='sync_all_columns'")
        rows = _rows(project, "select id, name from @model order by id")
        assert rows == [(1, None), (2, None), (3, "c")]

    def test_a_type_follows_the_model(self, project: Projects) -> None:
        self._run("select 3 as id, 'dear' as price", "on_schema_change='sync_all_columns'")
        assert [row[0] for row in _rows(project, "select price from @model order by id")] == [
            "1.00",
            "2.00",
            "dear",
        ]

    def test_rows_of_a_key_are_replaced(self, project: Projects) -> None:
        self._run("select 2 as id, id as price from range(2)", "incremental_strategy='delete+insert'")
        assert [int(row[1]) for row in _rows(project, "select * from @model order by id, price")] == [1, 0, 1]

    def test_an_unknown_strategy_is_refused(self, project: Projects) -> None:
        result = self._run("select 1 as id, 1 as price", "incremental_strategy='guess'", expect_pass=False)
        assert "guess" in result.message

    def test_a_comment_that_came_later(self, project: Projects) -> None:
        self._run("select 1 as id, 1 as price", "persist_docs={'columns': true}")
        write_file(
            "version: 2\nmodels: [{name: model, columns: [{name: id, description: Later}]}]",
            "models",
            "model.yml",
        )
        run_dbt(["run"])
        assert DeltaTable(_location(project, "model")).schema().fields[0].metadata == {"comment": "Later"}


class TestConstraints(_Model):
    sql = "{{ config(materialized='table') }} select 2 as id, 'b' as name"
    yml = """
version: 2
models:
  - name: model
    config: {contract: {enforced: true}}
    constraints: [{type: check, name: small, expression: id < 10}]
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}, {type: unique}]}
      - {name: name, data_type: string}
"""

    def test_they_are_kept_before_the_commit(self, project: Projects) -> None:
        _, log = run_dbt_and_capture(["run"])
        assert "unique" in log
        _write("{{ config(materialized='table') }} select 10 as id, 'b' as name")
        [result] = run_dbt(["run"], expect_pass=False)
        assert "breaks the constraint check small (id < 10)" in result.message
        _write("{{ config(materialized='table') }} select cast(null as int) as id, 'b' as name")
        [result] = run_dbt(["run"], expect_pass=False)
        assert "column id is null in 1 of 1 rows" in result.message
        assert _versions(project, "model") == 1
        assert [field.nullable for field in DeltaTable(_location(project, "model")).schema().fields] == [
            True,
            True,
        ]


class TestDocs(_Model):
    sql = "{{ config(materialized='table') }} select id, cast(id as decimal(5, 2)) as d from range(7)"

    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        return {"lookup.csv": "code,since,rate\na,2024-01-01,1.5\nb,,2\n"}

    def test_rows_and_bytes_are_those_of_the_log(self, project: Projects) -> None:
        run_dbt(["build"])
        run_dbt(["docs", "generate"])
        catalog = json.loads(Path(project.project_root, "target", "catalog.json").read_text())["nodes"]
        model, seed = catalog["model.test.model"], catalog["seed.test.lookup"]
        assert model["stats"]["rows"]["value"] == 7 and model["stats"]["bytes"]["value"] > 0
        assert [column["type"] for column in model["columns"].values()] == ["bigint", "decimal(5,2)"]
        assert [column["type"] for column in seed["columns"].values()] == ["string", "date", "double"]
