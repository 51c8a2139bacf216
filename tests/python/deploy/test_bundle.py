"""The bundle as it is: right by the published schema and the rules, complete, and its tasks are commands."""

import os
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from typing import Any

import pytest
import typer
import yaml
from databricks.sdk.service.jobs import JobSettings

from ingestion.contracts import read_contracts
from lakehouse.cli import commands
from lakehouse.deployment.bundle import Bundle, User, read_bundle
from lakehouse.deployment.rules import all_tasks, problems
from tests.python import PROJECT

from . import JOBS, RESOURCES

TARGETS = ("dev", "staging", "prod")
FILES = [PROJECT / "databricks.yml", *RESOURCES]


@cache
def bundle(target: str = "prod") -> Bundle:
    given = {"warehouse_id": "abc123", "mail": "data@example.com"}
    if target != "dev":
        given["service_principal"] = "00000000-0000-0000-0000-000000000000"
    return read_bundle(PROJECT, target, User("alice@example.com"), "v1", given)


@pytest.mark.skipif("DATABRICKS_BUNDLE_SCHEMA" not in os.environ, reason="needs the published schema")
def test_the_files_are_right_by_the_published_schema() -> None:
    schema = os.environ["DATABRICKS_BUNDLE_SCHEMA"]
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, *map(str, FILES)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_the_jobs_are_right_by_the_rules(target: str) -> None:
    assert problems(bundle(target), PROJECT) == []
    assert sorted(bundle(target).jobs) == JOBS
    for settings in bundle(target).jobs.values():
        assert JobSettings.from_dict(settings).as_dict() == settings


def test_events_run_every_sunday_at_14_23() -> None:
    assert bundle().jobs["events"]["schedule"] == {
        "quartz_cron_expression": "0 23 14 ? * SUN",
        "timezone_id": "UTC",
        "pause_status": "UNPAUSED",
    }


def test_production_runs_as_its_service_principal_and_dev_as_who_deploys() -> None:
    assert "service_principal_name" in bundle("prod").jobs["events"]["run_as"]
    assert bundle("dev").jobs["events"]["run_as"] == {"user_name": "alice@example.com"}


def test_analysts_read_gold_alone() -> None:
    granted = {
        name: {grant["principal"] for grant in schema["grants"]} for name, schema in bundle().schemas.items()
    }
    assert {name for name, groups in granted.items() if "analysts" in groups} == {"gold"}
    assert all("data-engineers" in groups for groups in granted.values())


def test_tasks_have_the_version_of_dbt_that_the_project_has() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    (needed,) = project["optional-dependencies"]["databricks"]
    for job in bundle().jobs.values():
        (environment,) = job["environments"]
        assert needed in environment["spec"]["dependencies"]


@pytest.mark.parametrize("job", JOBS)
def test_tasks_call_commands_with_options_that_they_have(job: str) -> None:
    application: Any = typer.main.get_command(commands.app)
    for task in all_tasks(bundle().jobs[job]):
        if wheel := task.get("python_wheel_task"):
            parameters = wheel["parameters"]
            place = next(n for n, parameter in enumerate(parameters) if not parameter.startswith("--"))
            application.make_context("lakehouse", parameters[:place], resilient_parsing=True)
            name, *arguments = parameters[place:]
            application.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("job", ["ingest_process_pipeline", "process_data_by_year"])
def test_all_sources_but_the_gyms_are_ingested(job: str) -> None:
    ingest, *_ = bundle().jobs[job]["tasks"]
    parameters = ingest["python_wheel_task"]["parameters"]
    loaded = {p.removeprefix("--source=") for p in parameters if p.startswith("--source=")}
    assert loaded == {table.source for table in read_contracts(PROJECT / "models")} - {"gym"}


def commands_of_dbt() -> list[list[str]]:
    tasks = [task for job in bundle().jobs.values() for task in all_tasks(job)]
    return [shlex.split(c) for task in tasks for c in task.get("dbt_task", {}).get("commands", [])]


def test_what_dbt_is_given_is_yaml() -> None:
    for command in commands_of_dbt():
        given = command[command.index("--vars") + 1].replace("{{input}}", "2014")
        variables = yaml.safe_load(given)
        assert variables["http_path"] == "/sql/1.0/warehouses/abc123"
        assert variables["catalog"] == "lakehouse"
        assert command[command.index("--target") + 1] == "databricks"


def test_selectors_are_there_and_each_is_used() -> None:
    declared = yaml.safe_load((PROJECT / "selectors.yml").read_text())["selectors"]
    used = {c[c.index("--selector") + 1] for c in commands_of_dbt() if "--selector" in c}
    assert used == {selector["name"] for selector in declared}
