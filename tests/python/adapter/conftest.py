"""The public suite of tests for dbt's adapters, on a warehouse of its own for each class."""

from pathlib import Path
from typing import Any

import dbt.tests.adapter.hooks.test_run_hooks as hooks
import pytest
from dbt.tests.fixtures.project import *  # noqa: F403  its fixtures are named nowhere else


@pytest.fixture(scope="class")
def dbt_profile_target(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {"type": "lakehouse", "root": str(tmp_path_factory.mktemp("warehouse")), "threads": 4}


@pytest.fixture(scope="module")
def test_data_dir() -> Path:
    return Path(hooks.__file__).parent / "data"
