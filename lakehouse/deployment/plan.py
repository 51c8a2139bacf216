"""What a deployment would change in a workspace."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lakehouse.deployment.bundle import Bundle, Declared, User, read_bundle
from lakehouse.deployment.changes import Change, changes
from lakehouse.deployment.files import Files, project_files
from lakehouse.deployment.rules import problems
from lakehouse.deployment.workspace import Workspace
from lakehouse.errors import UsageError

# Whose name stands in dev's jobs where no workspace is asked.
_NOBODY = User("you@example.com")

Kind = Literal["create", "change", "keep", "delete"]


@dataclass(frozen=True)
class JobAction:
    """What is done with a job; of one that is deleted, `settings` are those that it has."""

    kind: Kind
    key: str
    settings: Declared
    id: int | None = None
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class TableAction:
    """A schema or volume that is made, or a privilege that is given; `kind` is schemas or volumes."""

    kind: str
    name: str
    declared: Declared
    make: bool
    grants: dict[str, list[str]]


@dataclass(frozen=True)
class Plan:
    """All that a deployment does, in order: schemas and volumes, then files, then jobs."""

    bundle: Bundle
    tables: list[TableAction]
    uploads: dict[str, Files]
    jobs: list[JobAction]


def make_plan(
    project: Path, target: str, wheel: Files, values: dict[str, str], workspace: Workspace | None
) -> Plan:
    """Read and check the files, and compare them with a workspace; nothing is changed.

    Raises:
        UsageError: the files are wrong, or in the workspace are jobs that cannot be told apart.
    """
    files = project_files(project)
    user = workspace.user() if workspace else _NOBODY
    bundle = read_bundle(project, target, user, files.version, values)
    if found := problems(bundle, project):
        raise UsageError("\n".join(["The jobs are not right; nothing was changed.", *found]))
    folders = {
        f"{bundle.root_path}/files/{files.version}": files,
        f"{bundle.root_path}/artifacts/{wheel.version}": wheel,
    }
    (name,) = wheel.contents
    wanted = {
        key: _of_this(bundle, key, _with_wheel(job, f"{bundle.root_path}/artifacts/{wheel.version}/{name}"))
        for key, job in bundle.jobs.items()
    }
    if workspace is None:
        return Plan(bundle, _tables(bundle, None), folders, _jobs(wanted, {}, None))
    present = own_jobs(workspace.jobs(), bundle, {key: job["name"] for key, job in wanted.items()})
    return Plan(
        bundle,
        _tables(bundle, workspace),
        {folder: content for folder, content in folders.items() if not workspace.has_file(mark(folder))},
        _jobs(wanted, present, workspace),
    )


def mark(folder: str) -> str:
    """The file that is uploaded last to a folder."""
    return f"{folder}/.complete"


def identity(bundle: Bundle, key: str = "") -> dict[str, str]:
    """The tags by which a job of a deployment is known, of all or of the one with this key."""
    deployment = re.sub(r"[^a-z0-9]+", "-", bundle.root_path.lower()).strip("-")
    tags = {
        "managed_by": "lakehouse",
        "bundle": bundle.name,
        "target": bundle.target,
        "deployment": deployment,
    }
    return tags | ({"key": key} if key else {})


def own_jobs(jobs: list[Declared], bundle: Bundle, names: dict[str, str]) -> dict[str, Declared]:
    """The jobs of a deployment by key; `names` are those that it is about to give.

    Raises:
        UsageError: two have the same key, or a job that it did not make has such a name.
    """
    own: dict[str, Declared] = {}
    foreign = []
    for job in jobs:
        tags = job["settings"].get("tags", {})
        if not identity(bundle).items() <= tags.items() or "key" not in tags:
            foreign.append(job)
        elif (other := own.setdefault(tags["key"], job)) is not job:
            raise UsageError(
                f"Two jobs say that they are {tags['key']} of {bundle.target}: {other['job_id']} and "
                f"{job['job_id']}. Delete one of them, or its tag `key`; nothing was changed."
            )
    taken = {name.casefold(): key for key, name in names.items()}
    for job in foreign:
        if key := taken.get(job["settings"].get("name", "").casefold()):
            raise UsageError(
                f"The name of {key}, '{names[key]}', is that of job {job['job_id']}, made by another hand. "
                f"Rename or delete that job, or change `name` in {bundle.places[key]}; nothing was changed."
            )
    return own


def _of_this(bundle: Bundle, key: str, job: Declared) -> Declared:
    return {**job, "tags": {**job.get("tags", {}), **identity(bundle, key)}}


def _with_wheel(value: Any, wheel: str) -> Any:
    """A value in which files of wheels are the one that is uploaded."""
    match value:
        case dict():
            return {key: _with_wheel(inner, wheel) for key, inner in value.items()}
        case list():
            return [_with_wheel(inner, wheel) for inner in value]
        case str() if value.startswith(("./", "../")) and value.endswith(".whl"):
            return wheel
    return value


def _jobs(
    wanted: dict[str, Declared], present: dict[str, Declared], workspace: Workspace | None
) -> list[JobAction]:
    actions = []
    for key, settings in sorted(wanted.items()):
        if workspace is None or key not in present:
            actions.append(JobAction("create", key, settings))
            continue
        id = present[key]["job_id"]
        differing = changes(workspace.job(id), settings)
        actions.append(JobAction("change" if differing else "keep", key, settings, id, differing))
    gone = {key: job for key, job in sorted(present.items()) if key not in wanted}
    return [
        *actions,
        *(JobAction("delete", key, job["settings"], job["job_id"]) for key, job in gone.items()),
    ]


def _tables(bundle: Bundle, workspace: Workspace | None) -> list[TableAction]:
    """Schemas and volumes that are missing, or whose grants are."""
    declared = [("schemas", schema) for schema in bundle.schemas.values()]
    declared += [("volumes", volume) for volume in bundle.volumes.values()]
    for catalog in sorted({table["catalog_name"] for _, table in declared}):
        if workspace and not workspace.has("catalogs", catalog):
            raise UsageError(
                f"There is no catalog {catalog}: make it, or set BUNDLE_VAR_catalog; nothing was changed."
            )
    actions = [_table(kind, table, workspace) for kind, table in declared]
    return [action for action in actions if action.make or action.grants]


def _table(kind: str, declared: Declared, workspace: Workspace | None) -> TableAction:
    place = [declared["catalog_name"], *([declared["schema_name"]] if kind == "volumes" else [])]
    name = ".".join([*place, declared["name"]])
    is_there = workspace is not None and workspace.has(kind, name)
    given = workspace.privileges(kind, name) if workspace and is_there else {}
    missing = {
        grant["principal"]: sorted(set(grant["privileges"]) - given.get(grant["principal"], set()))
        for grant in declared.get("grants", [])
    }
    settings = {key: value for key, value in declared.items() if key != "grants"}
    grants = {principal: privileges for principal, privileges in missing.items() if privileges}
    return TableAction(kind, name, settings, not is_there, grants)
