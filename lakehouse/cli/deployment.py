"""Commands for a workspace of Databricks: deploy, destroy, trigger."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.cli.app import app, console, read_settings
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import say

if TYPE_CHECKING:
    from lakehouse.deployment.bundle import Bundle
    from lakehouse.deployment.plan import Plan
    from lakehouse.deployment.workspace import Workspace
    from lakehouse.settings import Settings

TargetOption = Annotated[
    str, typer.Option(metavar="NAME", help="Target of databricks.yml: dev, staging or prod.")
]


@app.command()
def deploy(
    target: TargetOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    wheel: Annotated[Path | None, typer.Option(help="A wheel that is built already.")] = None,
) -> None:
    """Make jobs, schemas and volumes on Databricks as databricks.yml says; once more changes nothing.

    Dashboards, alerts and the app are only named: `databricks bundle deploy` makes them.
    """
    from lakehouse.deployment.deploy import deploy as carry_out
    from lakehouse.deployment.show import as_json as json_of
    from lakehouse.deployment.show import lines, summary
    from lakehouse.deployment.workspace import Workspace
    from lakehouse.engines.databricks import require_sdk

    require_sdk()
    settings = read_settings()
    compared = bool(settings.databricks_host) or not dry_run
    workspace = Workspace(settings) if compared else None
    plan = _plan(settings, target, wheel, workspace)
    if as_json:
        console.print(json_of(plan), soft_wrap=True)
    else:
        for line in lines(plan):
            say(console, line)
        say(
            console,
            f"{summary(plan)}." + ("" if compared else " Nothing was compared: set DATABRICKS_HOST."),
        )
    if workspace and not dry_run:
        carry_out(plan, workspace, lambda line: None if as_json else say(console, line))


def _plan(settings: "Settings", target: str, wheel: Path | None, workspace: "Workspace | None") -> "Plan":
    from lakehouse.deployment.files import build_wheel, wheel_file
    from lakehouse.deployment.plan import make_plan

    with tempfile.TemporaryDirectory() as folder:
        files = wheel_file(wheel or build_wheel(settings.project, Path(folder)))
    return make_plan(settings.project, target, files, _values(settings), workspace)


@app.command()
def destroy(
    target: TargetOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name of the target.")] = False,
) -> None:
    """Delete the jobs that `deploy` made for a target, and the files it uploaded; tables stay."""
    from lakehouse.deployment.deploy import deployed_jobs
    from lakehouse.deployment.deploy import destroy as take_back

    bundle, workspace = _deployed(target)
    jobs = deployed_jobs(bundle, workspace)
    for key, job in sorted(jobs.items()):
        say(console, f"- {key}: job {job['job_id']} '{job['settings'].get('name')}'")
    say(console, f"- {bundle.root_path}")
    if not yes and typer.prompt(f"Type {target} to delete these") != target:
        raise LakehouseError("Nothing was deleted.")
    take_back(bundle, jobs, workspace, lambda line: say(console, line))


@app.command()
def trigger(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Its key in deploy/resources, such as events.")],
    target: TargetOption,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end, and fail where it does.")] = False,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Parameter of the job; can be repeated.")
    ] = None,
    idempotency_token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="The same token starts the job once.")
    ] = None,
) -> None:
    """Start a deployed job."""
    from lakehouse.deployment.trigger import start
    from lakehouse.deployment.trigger import wait as wait_for

    parameters = dict(_parameter(text) for text in parameter or [])
    bundle, workspace = _deployed(target)
    run = start(bundle, job, parameters, idempotency_token, workspace)
    say(console, f"Run {run} of {job}")
    if wait:
        wait_for(run, workspace, lambda line: say(console, line))


def _deployed(target: str) -> "tuple[Bundle, Workspace]":
    from lakehouse.deployment.bundle import read_bundle
    from lakehouse.deployment.workspace import Workspace
    from lakehouse.engines.databricks import require_sdk

    require_sdk()
    settings = read_settings()
    workspace = Workspace(settings)
    # Which version of files is there makes no difference.
    bundle = read_bundle(settings.project, target, workspace.user(), "any", _values(settings))
    return bundle, workspace


def _values(settings: "Settings") -> dict[str, str]:
    """Values that the environment or `.env` give to variables of the bundle."""
    from lakehouse.deployment.bundle import VARIABLE, variables

    names = {f"{VARIABLE}{name}": name for name in variables(settings.project)}
    return {names[name]: value.get_secret_value() for name, value in settings.named(names).items()}


def _parameter(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise UsageError(f"--parameter {text} is not NAME=VALUE.")
    return name, value
