from typing import Any

import pytest
from dbt.tests.util import run_dbt

Projects = Any

NAMES = """
    snapshot_meta_column_names:
      {dbt_valid_from: since, dbt_valid_to: until, dbt_scd_id: version, dbt_updated_at: seen}
"""


class _Snapshot:
    """A snapshot of a table `people`, with these settings."""

    config = ""
    key = "id"

    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {
            "kept.yml": f"""
snapshots:
- name: kept
  relation: source('here', 'people')
  config:
    unique_key: {self.key}
    schema: "{{{{ target.schema }}}}"
{self.config}
"""
        }

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        source = "sources: [{name: here, schema: '{{ target.schema }}', tables: [{name: people}]}]"
        return {"sources.yml": f"version: 2\n{source}"}

    @pytest.fixture(scope="class")
    def macros(self) -> dict[str, str]:
        name = "{% macro generate_schema_name(name, node) %}{{ target.schema }}{% endmacro %}"
        return {"schema.sql": name}

    def see(self, project: Projects, people: str) -> None:
        """The table as it is now, and a snapshot of it."""
        project.run_sql(
            f"create or replace table {project.test_schema}.people as "
            f"select * from values {people} as t (id, name, at)"
        )
        run_dbt(["snapshot"])

    def versions(self, project: Projects, columns: str) -> list[tuple[Any, ...]]:
        sql = f"select {columns} from {project.test_schema}.kept order by {columns}"
        rows: list[tuple[Any, ...]] = project.run_sql(sql, fetch="all")
        return rows


DAY = "timestamp'2024-01-0{}'"
ANNA, BEN = f"(1, 'Anna', {DAY.format(1)})", f"(2, 'Ben', {DAY.format(1)})"
ANNE = f"(1, 'Anne', {DAY.format(2)})"


class TestTimestampWithNamesOfItsOwn(_Snapshot):
    config = f"    strategy: timestamp\n    updated_at: at{NAMES}"

    def test_versions(self, project: Projects) -> None:
        self.see(project, f"{ANNA}, {BEN}")
        self.see(project, f"{ANNE}, {BEN}")
        assert self.versions(project, "id, name, until is null, date_format(since, 'd')") == [
            (1, "Anna", False, "1"),
            (1, "Anne", True, "2"),
            (2, "Ben", True, "1"),
        ]


class TestCheckWithDeletes(_Snapshot):
    config = "    strategy: check\n    check_cols: [name]\n    hard_deletes: invalidate"

    def test_versions(self, project: Projects) -> None:
        self.see(project, f"{ANNA}, {BEN}")
        self.see(project, ANNE)
        assert self.versions(project, "id, name, dbt_valid_to is null") == [
            (1, "Anna", False),
            (1, "Anne", True),
            (2, "Ben", False),
        ]


class TestDeletesAsRecordsWithAnEnd(_Snapshot):
    config = (
        "    strategy: timestamp\n    updated_at: at\n    hard_deletes: new_record\n"
        "    dbt_valid_to_current: \"timestamp'9999-12-31'\""
    )

    def test_versions(self, project: Projects) -> None:
        self.see(project, f"{ANNA}, {BEN}")
        self.see(project, ANNE)
        assert self.versions(project, "id, name, year(dbt_valid_to) = 9999, dbt_is_deleted") == [
            (1, "Anna", False, "False"),
            (1, "Anne", True, "False"),
            (2, "Ben", False, "False"),
            (2, "Ben", True, "True"),
        ]


class TestKeyOfTwoColumns(_Snapshot):
    key = "[id, name]"
    config = "    strategy: check\n    check_cols: [at]"

    def test_a_key_that_comes_twice_is_refused(self, project: Projects) -> None:
        self.see(project, ANNA)
        project.run_sql(
            f"create or replace table {project.test_schema}.people as "
            f"select * from values {ANNE}, {ANNE} as t (id, name, at)"
        )
        [result] = run_dbt(["snapshot"], expect_pass=False)
        assert "2 of the rows to merge have the same key (dbt_scd_id)" in result.message
        assert self.versions(project, "id, name") == [(1, "Anna")]
