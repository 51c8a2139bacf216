from pathlib import Path
from typing import Any

import pytest
from dbt.tests.adapter.hooks import test_run_hooks as run_hooks
from dbt.tests.adapter.hooks.test_model_hooks import (
    MODEL_POST_HOOK,
    MODEL_PRE_HOOK,
    BaseDuplicateHooksInConfigs,
    BaseHookRefs,
    BaseHooksRefsOnSeeds,
    BasePrePostModelHooks,
    BasePrePostModelHooksInConfig,
    BasePrePostModelHooksInConfigKwargs,
    BasePrePostModelHooksInConfigWithCount,
    BasePrePostModelHooksOnSeeds,
    BasePrePostModelHooksOnSeedsPlusPrefixed,
    BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace,
    BasePrePostModelHooksOnSnapshots,
    BasePrePostSnapshotHooksInConfigKwargs,
)
from dbt.tests.adapter.hooks.test_run_hooks import (
    BaseAfterRunHooks,
    BasePrePostRunHooks,
)


@pytest.fixture(scope="module")
def test_data_dir() -> Path:
    return Path(run_hooks.__file__).parent / "data"


def _hooked(project: Any, table: str, state: str, count: int) -> list[dict[str, Any]]:
    fields = ["target_name", "target_schema", "target_type", "target_threads", "run_started_at", "thread_id"]
    sql = f"select {', '.join(fields)} from {project.test_schema}.{table} where test_state = '{state}'"
    rows = project.run_sql(sql, fetch="all")
    assert len(rows) == count
    return [dict(zip(fields, row, strict=True)) for row in rows]


def _check_hooks(project: Any, table: str, state: str, count: int) -> None:
    """What hooks know of their target; that of the public suite is Postgres."""
    for row in _hooked(project, table, state, count):
        assert (row["target_name"], row["target_type"]) == ("default", "lakehouse")
        assert (row["target_schema"], row["target_threads"]) == (project.test_schema, 4)
        assert row["run_started_at"] and row["thread_id"]


class _ModelHooks:
    """What the suite reads of hooks around a model."""

    def get_ctx_vars(self, state: str, count: int, project: Any) -> list[dict[str, Any]]:
        return _hooked(project, "on_model_hook", state, count)

    def check_hooks(self, state: str, project: Any, host: str, count: int = 1) -> None:
        _check_hooks(project, "on_model_hook", state, count)


class TestPrePostModelHooks(_ModelHooks, BasePrePostModelHooks):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"models": {"test": {"pre-hook": [MODEL_PRE_HOOK], "post-hook": [MODEL_POST_HOOK]}}}


class TestHookRefs(_ModelHooks, BaseHookRefs):
    pass


class TestPrePostModelHooksOnSeeds(BasePrePostModelHooksOnSeeds):
    pass


class TestHooksRefsOnSeeds(BaseHooksRefsOnSeeds):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixed(BasePrePostModelHooksOnSeedsPlusPrefixed):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixedWhitespace(BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace):
    pass


class TestPrePostModelHooksOnSnapshots(BasePrePostModelHooksOnSnapshots):
    pass


class TestPrePostModelHooksInConfig(_ModelHooks, BasePrePostModelHooksInConfig):
    pass


class TestPrePostModelHooksInConfigWithCount(_ModelHooks, BasePrePostModelHooksInConfigWithCount):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"models": {"test": {"pre-hook": [MODEL_PRE_HOOK], "post-hook": [MODEL_POST_HOOK]}}}


class TestPrePostModelHooksInConfigKwargs(_ModelHooks, BasePrePostModelHooksInConfigKwargs):
    pass


class TestPrePostSnapshotHooksInConfigKwargs(BasePrePostSnapshotHooksInConfigKwargs):
    pass


class TestDuplicateHooksInConfigs(BaseDuplicateHooksInConfigs):
    pass


class TestPrePostRunHooks(BasePrePostRunHooks):
    def check_hooks(self, state: str, project: Any, host: str) -> None:
        _check_hooks(project, "on_run_hook", state, 1)

    def assert_used_schemas(self, project: Any) -> None:
        assert project.run_sql(f"select * from {project.test_schema}.schemas", fetch="all") == [
            (project.test_schema,)
        ]


class TestAfterRunHooks(BaseAfterRunHooks):
    pass
