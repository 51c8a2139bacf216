from typing import Any

import pytest
from dbt.tests.adapter.simple_snapshot import new_record_dbt_valid_to_current as valid_to_current
from dbt.tests.adapter.simple_snapshot import new_record_timestamp_mode as timestamp_mode
from dbt.tests.adapter.simple_snapshot import test_ephemeral_snapshot_hard_deletes as hard_deletes
from dbt.tests.adapter.simple_snapshot.new_record_check_mode import BaseSnapshotNewRecordCheckMode
from dbt.tests.adapter.simple_snapshot.new_record_dbt_valid_to_current import (
    BaseSnapshotNewRecordDbtValidToCurrent,
)
from dbt.tests.adapter.simple_snapshot.new_record_timestamp_mode import BaseSnapshotNewRecordTimestampMode
from dbt.tests.adapter.simple_snapshot.test_ephemeral_snapshot_hard_deletes import (
    BaseSnapshotEphemeralHardDeletes,
)
from dbt.tests.adapter.simple_snapshot.test_snapshot import (
    BaseSimpleSnapshot,
    BaseSnapshotCheck,
)
from dbt.tests.adapter.simple_snapshot.test_various_configs import (
    BaseSnapshotColumnNames,
    BaseSnapshotColumnNamesFromDbtProject,
    BaseSnapshotDbtValidToCurrent,
    BaseSnapshotInvalidColumnNames,
    BaseSnapshotMultiUniqueKey,
)


def _plain(sql: str) -> str:
    """Postgres' SQL as Spark's."""
    for theirs, ours in {
        "{database}.": "",
        "{{target.database}}.": "",
        "::text": "::string",
        "TEXT": "string",
        "TIMESTAMP WITHOUT TIME ZONE": "timestamp",
        "timestamp without time zone": "timestamp",
        "date('9999-12-31')": "timestamp('9999-12-31')",
    }.items():
        sql = sql.replace(theirs, ours)
    return sql


class _Seeds:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        """Sail knows no common type of a date and a timestamp."""
        return {"seeds": {"+column_types": {"updated_at": "timestamp"}}}


class TestSimpleSnapshot(_Seeds, BaseSimpleSnapshot):
    pass


class TestSnapshotCheck(_Seeds, BaseSnapshotCheck):
    pass


class _NewRecords:
    """The statements of the suite, as Sail takes them."""

    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {"snapshot.sql": _plain(timestamp_mode._snapshot_actual_sql)}

    @pytest.fixture(scope="class")
    def seed_new_record_mode_statements(self) -> list[str]:
        return [_plain(sql) for sql in timestamp_mode._seed_new_record_mode_statements]

    @pytest.fixture(scope="class")
    def delete_sql(self) -> str:
        return _plain(timestamp_mode._delete_sql)

    @pytest.fixture(scope="class")
    def invalidate_sql_statements(self) -> list[str]:
        return [_plain(sql) for sql in timestamp_mode._invalidate_sql_statements]

    @pytest.fixture(scope="class")
    def update_sql(self) -> str:
        return _plain(timestamp_mode._update_sql)

    @pytest.fixture(scope="class")
    def reinsert_sql(self) -> str:
        return _plain(timestamp_mode._reinsert_sql)


class TestSnapshotNewRecordCheckMode(_NewRecords, BaseSnapshotNewRecordCheckMode):
    pass


class TestSnapshotNewRecordDbtValidToCurrent(BaseSnapshotNewRecordDbtValidToCurrent):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"snapshots.yml": _plain(valid_to_current._snapshots_yml)}

    @pytest.fixture(scope="class")
    def snapshots(self) -> dict[str, str]:
        return {"snapshot.sql": _plain(valid_to_current._snapshot_actual_sql)}

    @pytest.fixture(scope="class")
    def seed_new_record_mode_statements(self) -> list[str]:
        return [_plain(sql) for sql in valid_to_current._seed_new_record_mode_statements]

    @pytest.fixture(scope="class")
    def delete_sql(self) -> str:
        return _plain(valid_to_current._delete_sql)


class TestSnapshotNewRecordTimestampMode(_NewRecords, BaseSnapshotNewRecordTimestampMode):
    pass


class TestSnapshotEphemeralHardDeletes(BaseSnapshotEphemeralHardDeletes):
    @pytest.fixture(scope="class")
    def source_create_sql(self) -> str:
        return _plain(hard_deletes._source_create_sql)

    @pytest.fixture(scope="class")
    def source_insert_sql(self) -> str:
        return _plain(hard_deletes._source_insert_sql)

    @pytest.fixture(scope="class")
    def source_alter_sql(self) -> str:
        return _plain(hard_deletes._source_alter_sql)


@pytest.mark.skip(reason="its SQL is fixed and that of Postgres; test_snapshots.py has what it asks")
class TestSnapshotColumnNames(BaseSnapshotColumnNames):
    pass


@pytest.mark.skip(reason="its SQL is fixed and that of Postgres; test_snapshots.py has what it asks")
class TestSnapshotColumnNamesFromDbtProject(BaseSnapshotColumnNamesFromDbtProject):
    pass


@pytest.mark.skip(reason="its SQL is fixed and that of Postgres; test_snapshots.py has what it asks")
class TestSnapshotDbtValidToCurrent(BaseSnapshotDbtValidToCurrent):
    pass


@pytest.mark.skip(reason="its SQL is fixed and that of Postgres; test_snapshots.py has what it asks")
class TestSnapshotInvalidColumnNames(BaseSnapshotInvalidColumnNames):
    pass


class TestSnapshotMultiUniqueKey(BaseSnapshotMultiUniqueKey):
    pass
