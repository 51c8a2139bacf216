"""What must be true of a bundle before a workspace is touched; a problem is a sentence with its place."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from ingestion.errors import without_passwords
from lakehouse.deployment.bundle import Bundle, Declared
from lakehouse.deployment.changes import flat
from lakehouse.deployment.schedule import problem_of_cron, problem_of_zone

# Tokens of Databricks, Stripe, Shopify, AWS, GitHub and Slack; private keys; what is called a password.
_SECRET = re.compile(
    r"dapi[0-9a-f]{16}|\b[sr]k_(live|test)_\w{8}|shp(at|ss)_\w{8}|AKIA[0-9A-Z]{16}|gh[opsu]_\w{20}|xox[bp]-\w"
    r"|-----BEGIN|(password|secret|token)\s*[=:]\s*[^\s$]",
    re.IGNORECASE,
)
# Where a task runs: serverless, or on a cluster of the job.
_PLACES = {"environment_key", "job_cluster_key"}
_WARNING = "on_duration_warning_threshold_exceeded"


def problems(bundle: Bundle, project: Path) -> list[str]:
    """All that is wrong, for people; nothing of a secret is in it."""
    found = []
    for key, job in bundle.jobs.items():
        found += [f"{bundle.places[key]}: job {key}: {problem}." for problem in _of_job(job, project)]
    return found


def _of_job(job: Declared, project: Path) -> Iterator[str]:
    if wrong := list(_not_understood(job)):
        # The other rules read fields.
        yield from wrong
        return
    yield from _of_limits(job)
    yield from _of_notifications(job)
    yield from _of_schedule(job)
    yield from _of_graph(job)
    for task in all_tasks(job):
        yield from _of_task(task, job)
    for path, text in flat(job).items():
        yield from _of_text(path, text, project)


def _not_understood(job: Declared) -> Iterator[str]:
    """The SDK forgets, without a word, what it does not know."""
    from databricks.sdk.service.jobs import JobSettings

    try:
        understood = flat(JobSettings.from_dict(job).as_dict())
    except (AttributeError, TypeError, ValueError):
        yield "a field has another type than Jobs have it"
        return
    for path, value in flat(job).items():
        if understood.get(path) != value:
            yield f"{path} is no field of jobs, or its value is none that it may have"


def _of_limits(job: Declared) -> Iterator[str]:
    if not job.get("name"):
        yield "it has no name"
    if not job.get("timeout_seconds"):
        yield "it has no timeout_seconds"
    if job.get("max_concurrent_runs") != 1:
        yield "max_concurrent_runs is not 1"
    if not job.get("queue", {}).get("enabled"):
        yield "it has no queue, so that a run is skipped while another one runs"


def _of_notifications(job: Declared) -> Iterator[str]:
    mail = job.get("email_notifications", {})
    if not mail.get("on_failure"):
        yield "nobody gets mail on_failure"
    metrics = [rule.get("metric") for rule in job.get("health", {}).get("rules", [])]
    if "RUN_DURATION_SECONDS" not in metrics or not mail.get(_WARNING):
        yield f"nobody is told of a long run: it needs a health rule RUN_DURATION_SECONDS and {_WARNING}"


def _of_schedule(job: Declared) -> Iterator[str]:
    schedule = job.get("schedule")
    if schedule is None:
        return
    for problem in (
        problem_of_cron(str(schedule.get("quartz_cron_expression", ""))),
        problem_of_zone(str(schedule.get("timezone_id", ""))),
    ):
        if problem:
            yield problem


def _of_graph(job: Declared) -> Iterator[str]:
    """Tasks in an order, each of them once."""
    tasks = job.get("tasks", [])
    keys = [task.get("task_key") for task in all_tasks(job)]
    if not keys:
        yield "it has no tasks"
    yield from (f"two tasks are called {key}" for key in sorted({str(k) for k in keys if keys.count(k) > 1}))
    graph = {str(task.get("task_key")): _parents(task) for task in tasks}
    for key, parents in graph.items():
        yield from (
            f"task {key} depends on {parent}, which is not there" for parent in parents if parent not in graph
        )
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"tasks wait for each other: {', '.join(error.args[1])}"


def _parents(task: Declared) -> list[str]:
    return [str(parent.get("task_key")) for parent in task.get("depends_on", [])]


def all_tasks(job: Declared) -> list[Declared]:
    """The tasks of a job, and those that are done for each of something."""
    tasks = job.get("tasks", [])
    inner = [task["for_each_task"].get("task", {}) for task in tasks if "for_each_task" in task]
    return [*tasks, *inner]


def _of_task(task: Declared, job: Declared) -> Iterator[str]:
    key = task.get("task_key")
    kinds = sorted(name for name in task if name.endswith("_task"))
    if len(kinds) != 1:
        yield f"task {key} does not do one thing: it has {', '.join(kinds) or 'nothing to do'}"
    for where, declared in (("environment_key", "environments"), ("job_cluster_key", "job_clusters")):
        if (wanted := task.get(where)) and wanted not in [x.get(where) for x in job.get(declared, [])]:
            yield f"task {key} has the {where} {wanted}, which is not in {declared}"
    if {"dbt_task", "python_wheel_task"} & task.keys() and not _PLACES & task.keys():
        yield f"task {key} has neither environment_key nor job_cluster_key"
    if "continuous" in job and {"depends_on", "max_retries"} & task.keys():
        yield f"task {key} has dependencies or retries, which a continuous job has not"


def _of_text(path: str, value: Any, project: Path) -> Iterator[str]:
    if not isinstance(value, str):
        return
    if not value.strip():
        yield f"{path} is empty"
    if _SECRET.search(value) or without_passwords(value) != value:
        yield f"{path} looks like a secret: keep it in a secret scope"
    # The wheel is built later.
    is_file = value.startswith(("./", "../")) and not value.endswith(".whl")
    if is_file and not (project / value).exists():
        yield f"{path} names the file {value}, which is not there"
