from typing import Any

import pytest
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import BaseMergeExcludeColumns
from dbt.tests.adapter.incremental.test_incremental_microbatch import BaseMicrobatch, _input_model_sql
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import BaseIncrementalOnSchemaChange
from dbt.tests.adapter.incremental.test_incremental_predicates import BaseIncrementalPredicates
from dbt.tests.adapter.incremental.test_incremental_unique_id import BaseIncrementalUniqueKey


def _in_utc(sql: str) -> str:
    """Postgres writes UTC as -0."""
    return sql.replace("00:00:00-0'", "00:00:00+00:00'")


class TestMergeExcludeColumns(BaseMergeExcludeColumns):
    pass


class TestMicrobatch(BaseMicrobatch):
    @pytest.fixture(scope="class")
    def input_model_sql(self) -> str:
        return _in_utc(_input_model_sql)

    @pytest.fixture(scope="class")
    def insert_two_rows_sql(self, project: Any) -> str:
        name = f"{project.test_schema}.input_model"
        return (
            f"insert into {name} (id, event_time) values (4, timestamp '2020-01-04 00:00:00+00:00'), "
            "(5, timestamp '2020-01-05 00:00:00+00:00')"
        )


class TestIncrementalOnSchemaChange(BaseIncrementalOnSchemaChange):
    pass


class TestIncrementalPredicates(BaseIncrementalPredicates):
    """By the strategy that is the default of the public suite, delete+insert."""


class TestIncrementalUniqueKey(BaseIncrementalUniqueKey):
    pass


class TestMergePredicates(BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {
            "models": {
                "+incremental_predicates": ["DBT_INTERNAL_DEST.id != 2"],
                "+incremental_strategy": "merge",
            }
        }
