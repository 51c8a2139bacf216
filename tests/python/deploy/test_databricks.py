"""The asset bundle: what it names exists, and its load task does what it says."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.python import PROJECT
from tests.python.lakehouse.conftest import Lakehouse

BUNDLE = PROJECT / "deploy" / "databricks.yml"


def job() -> Any:
    return yaml.safe_load(BUNDLE.read_text())["resources"]["jobs"]["events"]


def test_events_run_every_sunday_at_14_23() -> None:
    schedule = job()["schedule"]
    # Quartz: second, minute, hour, day of month, month, day of week.
    assert schedule["quartz_cron_expression"].split() == ["0", "23", "14", "?", "*", "SUN"]
    assert schedule["timezone_id"] == "UTC"


def test_the_job_has_the_version_of_dbt_that_the_project_has() -> None:
    (environment,) = job()["environments"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    (needed,) = project["optional-dependencies"]["databricks"]
    assert needed in environment["spec"]["dependencies"]


def test_the_load_task_loads(tmp_path: Path) -> None:
    (task,) = (task["python_wheel_task"] for task in job()["tasks"] if task["task_key"] == "load")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert task["package_name"] == project["name"] and task["entry_point"] in project["scripts"]
    values = {
        "${workspace.file_path}": PROJECT,
        "${var.home}": tmp_path / "home",
        "${var.landing}": tmp_path / "landing",
        "${var.catalog}": "lakehouse",
    }
    parameters = task["parameters"]
    for name, value in values.items():
        parameters = [parameter.replace(name, str(value)) for parameter in parameters]
    (tmp_path / "landing" / "events").mkdir(parents=True)
    (tmp_path / "landing" / "events" / "a.json").write_text('{"time":1,"action":"Open"}\nnoise\n')
    lakehouse = Lakehouse(tmp_path)
    lakehouse.run(*parameters)
    assert lakehouse.value("select count(*) from bronze.events_events") == 1
