"""A plan for people, and for programs."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from lakehouse.deployment.bundle import Declared
from lakehouse.deployment.plan import JobAction, Plan, TableAction

_MARKS = {"create": "+", "change": "~", "keep": "=", "delete": "-"}


def lines(plan: Plan) -> Iterator[str]:
    """What a plan does: each schema, volume, upload and job, with tasks, schedule and notifications.

    The last lines say what it leaves to the CLI of Databricks.
    """
    for table in plan.tables:
        yield from _table(table)
    for folder, files in plan.uploads.items():
        yield f"+ {folder}: upload of {len(files.contents)}"
    for job in plan.jobs:
        yield from _job(job)
    for kind, keys in plan.bundle.by_cli.items():
        yield f"  {kind}, which `databricks bundle deploy` makes and this command does not: {', '.join(keys)}"


def summary(plan: Plan) -> str:
    """How many jobs are created, changed, kept and deleted."""
    kinds = [job.kind for job in plan.jobs]
    return (
        f"Jobs: {kinds.count('create')} to create, {kinds.count('change')} to change, "
        f"{kinds.count('delete')} to delete, {kinds.count('keep')} as they are"
    )


def as_json(plan: Plan) -> str:
    """A plan as JSON: schemas and volumes, uploads, jobs with settings and changes, and what it leaves."""
    shown = {
        "bundle": plan.bundle.name,
        "target": plan.bundle.target,
        "tables": [asdict(table) for table in plan.tables],
        "uploads": {folder: sorted(files.contents) for folder, files in plan.uploads.items()},
        "jobs": [asdict(job) for job in plan.jobs],
        "left_to_the_cli": plan.bundle.by_cli,
    }
    return json.dumps(shown, indent=2)


def _table(table: TableAction) -> Iterator[str]:
    kind = table.kind.rstrip("s")
    if table.make:
        yield f"+ {kind} {table.name}"
    for principal, privileges in table.grants.items():
        yield f"+ {kind} {table.name}: {', '.join(privileges)} to {principal}"


def _job(job: JobAction) -> Iterator[str]:
    settings = job.settings
    known = f", job {job.id}" if job.id else ""
    yield f"{_MARKS[job.kind]} {job.key}: {job.kind} '{settings.get('name')}'{known}"
    if job.kind == "delete":
        return
    yield f"    starts    {_starts(settings)}"
    for event, receivers in settings.get("email_notifications", {}).items():
        if isinstance(receivers, list):
            yield f"    mail      {event.replace('_', ' ')}: {', '.join(receivers)}"
    for rule in settings.get("health", {}).get("rules", []):
        yield f"    warns     {rule['metric']} {rule['op']} {rule['value']}"
    for task in settings.get("tasks", []):
        yield from _task(task, settings)
    for change in job.changes:
        yield f"    {change.field}: {_value(change.before)} -> {_value(change.after)}"


def _starts(settings: Declared) -> str:
    if schedule := settings.get("schedule"):
        paused = schedule.get("pause_status", "UNPAUSED").lower()
        return f"{schedule['quartz_cron_expression']} {schedule['timezone_id']}, {paused}"
    if continuous := settings.get("continuous"):
        return f"whenever it has ended, {continuous.get('pause_status', 'UNPAUSED').lower()}"
    return "by hand"


def _task(task: Declared, settings: Declared) -> Iterator[str]:
    parents = [parent["task_key"] for parent in task.get("depends_on", [])]
    yield f"    task      {task['task_key']}{' after ' if parents else ''}{', '.join(parents)}"
    if each := task.get("for_each_task"):
        for element in _elements(each["inputs"], settings):
            yield f"      task    {each['task']['task_key']}-{element}"


def _elements(inputs: str, settings: Declared) -> list[Any]:
    """What a task is done for: a list in JSON, or a parameter of the job that has one by default."""
    for parameter in settings.get("parameters", []):
        inputs = inputs.replace("{{job.parameters." + parameter["name"] + "}}", parameter["default"])
    try:
        elements = json.loads(inputs)
    except ValueError:
        elements = None
    return elements if isinstance(elements, list) else [inputs]


def _value(value: Any) -> str:
    return "none" if value is None else repr(value)
