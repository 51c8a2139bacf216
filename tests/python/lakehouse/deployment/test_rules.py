"""What is wrong with a job is said, and what is right is not."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from lakehouse.deployment.bundle import Bundle
from lakehouse.deployment.rules import problems
from lakehouse.deployment.schedule import problem_of_cron, problem_of_zone

Job = dict[str, Any]

MAIL = ["data@example.com"]
RIGHT: Job = {
    "name": "a job",
    "max_concurrent_runs": 1,
    "queue": {"enabled": True},
    "timeout_seconds": 3600,
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]},
    "email_notifications": {"on_failure": MAIL, "on_duration_warning_threshold_exceeded": MAIL},
    "environments": [{"environment_key": "default", "spec": {"environment_version": "4"}}],
    "tasks": [
        {
            "task_key": "load",
            "environment_key": "default",
            "python_wheel_task": {"package_name": "lakehouse", "entry_point": "lakehouse"},
        },
        {
            "task_key": "build",
            "depends_on": [{"task_key": "load"}],
            "environment_key": "default",
            "dbt_task": {"project_directory": "/Workspace/p", "commands": ["dbt build"]},
        },
    ],
}


def found(job: Job, project: Path) -> list[str]:
    return problems(Bundle("lakehouse", "dev", "/root", {"a": job}, {}, {}, {}, {"a": "a.yml:3"}), project)


def test_a_job_that_is_right_has_no_problem(tmp_path: Path) -> None:
    assert found(RIGHT, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda job: job.pop("name"), "it has no name"),
        (lambda job: job.pop("timeout_seconds"), "it has no timeout_seconds"),
        (lambda job: job.pop("max_concurrent_runs"), "max_concurrent_runs is not 1"),
        (lambda job: job.pop("queue"), "it has no queue"),
        (lambda job: job["email_notifications"].pop("on_failure"), "nobody gets mail on_failure"),
        (lambda job: job.pop("health"), "nobody is told of a long run"),
        (lambda job: job.update(nope=1), "nope is no field of jobs"),
        (lambda job: job.update(tasks="load"), "a field has another type"),
        (lambda job: job.update(tasks=[]), "it has no tasks"),
        (
            lambda job: job["health"]["rules"][0].update(op="MORE"),
            "rules.RUN_DURATION_SECONDS.op is no field",
        ),
        (
            lambda job: job.update(schedule={"quartz_cron_expression": "0 0 * * * *", "timezone_id": "UTC"}),
            "needs one ?",
        ),
        (
            lambda job: job.update(schedule={"quartz_cron_expression": "0 0 0 * * ?", "timezone_id": "X"}),
            "no time zone 'X'",
        ),
        (lambda job: job["tasks"].append(job["tasks"][0]), "two tasks are called load"),
        (lambda job: job["tasks"].pop(0), "task build depends on load, which is not there"),
        (
            lambda job: job["tasks"][0].update(depends_on=[{"task_key": "build"}]),
            "tasks wait for each other: ",
        ),
        (lambda job: job["tasks"][0].update(environment_key="x"), "the environment_key x, which is not in"),
        (lambda job: job["tasks"][0].pop("environment_key"), "neither environment_key nor job_cluster_key"),
        (lambda job: job["tasks"][0].pop("python_wheel_task"), "it has nothing to do"),
        (
            lambda job: job["tasks"][0].update(dbt_task=job["tasks"][1]["dbt_task"]),
            "does not do one thing: it has dbt_task, python_wheel_task",
        ),
        (
            lambda job: job["tasks"][0]["python_wheel_task"].update(parameters=["--key", "rk_live_12345678"]),
            "tasks.load.python_wheel_task.parameters.1 looks like a secret",
        ),
        (
            lambda job: job.update(description="postgresql://me:pass@host/db"),
            "description looks like a secret",
        ),
        (lambda job: job.update(description=" "), "description is empty"),
        (
            lambda job: job["tasks"][1]["dbt_task"].update(project_directory="../nowhere"),
            "names the file ../nowhere, which is not there",
        ),
        (
            lambda job: job.update(continuous={"pause_status": "UNPAUSED"}),
            "dependencies or retries, which a continuous job has not",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    change: Callable[[Job], object], problem: str, tmp_path: Path
) -> None:
    job = deepcopy(RIGHT)
    change(job)
    told = found(job, tmp_path)
    assert len(told) == 1, told
    assert told[0].startswith("a.yml:3: job a: ") and problem in told[0]
    assert "12345678" not in told[0] and "pass@" not in told[0]


def test_what_is_done_for_each_of_something_is_looked_at_too(tmp_path: Path) -> None:
    job = deepcopy(RIGHT)
    job["tasks"][1]["for_each_task"] = {"inputs": "[1]", "task": {"task_key": "each"}}
    del job["tasks"][1]["dbt_task"]
    assert found(job, tmp_path) == ["a.yml:3: job a: task each does not do one thing: it has nothing to do."]


@pytest.mark.parametrize(
    "expression",
    [
        "0 23 14 ? * SUN",
        "0 0/15 8-17 LW * ?",
        "0 0 1 ? * MON#2 2027",
        "0 0 1 ? * FRIL",
        "0 */5 * ? JAN-MAR *",
    ],
)
def test_schedules_of_quartz_are_right(expression: str) -> None:
    assert problem_of_cron(expression) == ""


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("23 14 ? * SUN", "has 5 fields"),
        ("0 23 14 ? * ?", "needs one ?"),
        ("0 60 14 ? * SUN", "the minute '60'"),
        ("0 0 1 ? * FUN", "the day of week 'FUN'"),
        ("0 0 1 32 * ?", "the day of month '32'"),
        ("0 0/0 1 1 * ?", "the minute '0/0'"),
        ("0 0 1- 1 * ?", "the hour '1-'"),
    ],
)
def test_other_schedules_are_not(expression: str, problem: str) -> None:
    assert problem in problem_of_cron(expression)


def test_time_zones() -> None:
    assert problem_of_zone("Europe/Berlin") == ""
    assert "no time zone" in problem_of_zone("../etc/passwd")
    assert "no time zone" in problem_of_zone("")
