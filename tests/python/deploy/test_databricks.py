"""The asset bundle: what it names exists, and its load task does what it says."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.warehouse import Warehouse
from tests.python import PROJECT

BUNDLE = PROJECT / "deploy" / "databricks.yml"


def job() -> Any:
    return yaml.safe_load(BUNDLE.read_text())["resources"]["jobs"]["events"]


def test_events_run_every_sunday_at_14_23() -> None:
    schedule = job()["schedule"]
    # Quartz: second, minute, hour, day of month, month, day of week.
    assert schedule["quartz_cron_expression"].split() == ["0", "23", "14", "?", "*", "SUN"]
    assert schedule["timezone_id"] == "UTC"


def test_the_job_has_the_versions_of_dbt_that_the_project_has() -> None:
    (environment,) = job()["environments"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    declared = (*project["dependencies"], *project["optional-dependencies"]["databricks"])
    needed = {name for name in declared if name.startswith(("dbt-core", "dbt-databricks"))}
    assert len(needed) == 2 and needed <= set(environment["spec"]["dependencies"])


@pytest.mark.spark
def test_the_load_task_loads(tmp_path: Path) -> None:
    (task,) = (task["spark_python_task"] for task in job()["tasks"] if task["task_key"] == "load")
    values = {"landing": tmp_path / "landing", "home": tmp_path, "catalog": "spark_catalog"}
    parameters = task["parameters"]
    for name, value in values.items():
        parameters = [parameter.replace(f"${{var.{name}}}", str(value)) for parameter in parameters]
    (tmp_path / "landing" / "events").mkdir(parents=True)
    (tmp_path / "landing" / "events" / "a.json").write_text('{"time":1,"action":"Open"}\nnoise\n')
    done = subprocess.run(
        [sys.executable, BUNDLE.parent / task["python_file"], *parameters],
        env=os.environ | {"LAKEHOUSE_HOME": str(tmp_path)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "a.json: loaded, 1 rows" in done.stdout
    assert "bronze.events_events" in Warehouse(tmp_path / "warehouse").tables()
