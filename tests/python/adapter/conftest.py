"""The public suite of tests for dbt's adapters, on a warehouse of its own for each class."""

from typing import Any

import pytest
from dbt.adapters.factory import reset_adapters
from dbt.tests.fixtures.project import *  # noqa: F403  its fixtures are named nowhere else


@pytest.fixture(scope="class")
def dbt_profile_target(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {"type": "lakehouse", "root": str(tmp_path_factory.mktemp("warehouse")), "threads": 4}


@pytest.fixture(scope="module", autouse=True)
def no_adapter_of_other_tests() -> None:
    """A command that ran in this process leaves its adapter behind, which has another warehouse."""
    reset_adapters()
