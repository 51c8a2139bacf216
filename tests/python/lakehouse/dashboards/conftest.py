"""A dashboard over tables of rows as nobody wants them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.dashboards.pages import Dashboard
from lakehouse.settings import load_settings
from tests.python import PROJECT

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.fixture(scope="session")
def dashboard(home: Path, project: "Manifest") -> Dashboard:
    return make_dashboard(home, project)


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A project whose pages may be spoilt."""
    for folder in ("dashboards", "analyses"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    for file in ("dbt_project.yml", "alerts.yml"):
        shutil.copyfile(PROJECT / file, tmp_path / file)
    yield tmp_path


def make_dashboard(home: Path, project: "Manifest", folder: Path = PROJECT) -> Dashboard:
    settings = load_settings(LAKEHOUSE_HOME=str(home), LAKEHOUSE_PROJECT=str(folder))
    return Dashboard(settings, project)
