"""Carrying out a plan, and taking back what plans made; either can be stopped and begun again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from lakehouse.deployment.bundle import Bundle, Declared
from lakehouse.deployment.files import Files
from lakehouse.deployment.plan import JobAction, Plan, TableAction, mark, own_jobs
from lakehouse.deployment.workspace import Unanswered, Workspace

_ATTEMPTS = 4
_UPLOADS_AT_ONCE = 8

Tell = Callable[[str], None]


def deploy(plan: Plan, workspace: Workspace, tell: Tell) -> None:
    """Change a workspace as planned; `tell` is told of each change when it is made."""
    for table in plan.tables:
        _make(table, workspace, tell)
    for folder, files in plan.uploads.items():
        _upload(folder, files, workspace)
        tell(f"{folder}: uploaded")
    for action in plan.jobs:
        _do(action, plan.bundle, workspace, tell)


def deployed_jobs(bundle: Bundle, workspace: Workspace) -> dict[str, Declared]:
    """The jobs of a deployment that are there, by key."""
    return own_jobs(workspace.jobs(), bundle, {})


def destroy(bundle: Bundle, jobs: dict[str, Declared], workspace: Workspace, tell: Tell) -> None:
    """Delete the jobs of a deployment and what it uploaded; schemas and volumes stay."""
    for key, job in sorted(jobs.items()):
        workspace.delete(job["job_id"])
        tell(f"{key}: deleted job {job['job_id']}")
    workspace.remove(bundle.root_path)
    tell(f"{bundle.root_path}: removed")


def _make(table: TableAction, workspace: Workspace, tell: Tell) -> None:
    if table.make:
        workspace.make(table.kind, table.name, table.declared)
        tell(f"{table.name}: made")
    for principal, privileges in table.grants.items():
        workspace.grant(table.kind, table.name, principal, privileges)
        tell(f"{table.name}: {principal} was given {', '.join(privileges)}")


def _upload(folder: str, files: Files, workspace: Workspace) -> None:
    paths = {f"{folder}/{name}": content for name, content in files.contents.items()}
    with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
        list(pool.map(workspace.make_folder, sorted({str(PurePosixPath(path).parent) for path in paths})))
        list(pool.map(workspace.upload, paths, paths.values()))
    # Without it, the next deployment uploads them again.
    workspace.upload(mark(folder), b"\n")


def _do(action: JobAction, bundle: Bundle, workspace: Workspace, tell: Tell) -> None:
    match action.kind:
        case "create":
            id = _create(action, bundle, workspace)
            tell(f"{action.key}: created job {id}")
        case "change" if action.id is not None:
            workspace.reset(action.id, action.settings)
            tell(f"{action.key}: changed job {action.id}")
        case "delete" if action.id is not None:
            workspace.delete(action.id)
            tell(f"{action.key}: deleted job {action.id}, which the files no longer have")


def _create(action: JobAction, bundle: Bundle, workspace: Workspace) -> int:
    """Make a job once, also where the answer got lost."""
    for _ in range(_ATTEMPTS):
        try:
            return workspace.create(action.settings)
        except Unanswered:
            if job := deployed_jobs(bundle, workspace).get(action.key):
                return int(job["job_id"])
    return workspace.create(action.settings)
