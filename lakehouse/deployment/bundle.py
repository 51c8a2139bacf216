"""The bundle: `databricks.yml` with the files that it includes, for one target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lakehouse.deployment.references import Text, resolve
from lakehouse.errors import UsageError

FILE = "databricks.yml"
VARIABLE = "BUNDLE_VAR_"
# What is read here and made by the CLI of Databricks alone.
BY_CLI = ("alerts", "apps", "dashboards")
# What of a bundle is understood here; the CLI of Databricks knows more.
_OF_BOTH = {"presets", "run_as", "variables", "workspace"}
_KNOWN = {
    "the bundle": {*_OF_BOTH, "artifacts", "bundle", "include", "resources", "targets"},
    "a target": {*_OF_BOTH, "default", "mode"},
    "resources": {"jobs", "schemas", "volumes", *BY_CLI},
}

Declared = dict[str, Any]


@dataclass(frozen=True)
class User:
    """Who deploys: an e-mail address, or the application id of a service principal."""

    name: str

    @property
    def short_name(self) -> str:
        """What stands before the @, as the CLI of Databricks writes it."""
        return re.sub(r"\W+", "_", self.name.partition("@")[0].lower())

    @property
    def run_as(self) -> dict[str, str]:
        """How a job says that it runs as this user."""
        return {"user_name" if "@" in self.name else "service_principal_name": self.name}


@dataclass(frozen=True)
class Bundle:
    """What a target has, without references; jobs, schemas and volumes by the keys of their files."""

    name: str
    target: str
    root_path: str
    jobs: dict[str, Declared]
    schemas: dict[str, Declared]
    volumes: dict[str, Declared]
    # Keys of what only the CLI makes, by kind.
    by_cli: dict[str, list[str]]
    # File and line of each job, by its key.
    places: dict[str, str]


def variables(project: Path) -> list[str]:
    """Names of the variables."""
    return list(_read(project / FILE).get("variables", {}))


def read_bundle(
    project: Path, target: str, user: User, version: str, values: Mapping[str, str] | None = None
) -> Bundle:
    """Read the files; `version` is that of the project's files, and `values` are of variables by name.

    Raises:
        UsageError: a file cannot be read, or refers to what is not there; the message has file and line.
    """
    root = _read(project / FILE)
    chosen = _target(root, target)
    resources = _resources(project, root)
    declared = root.get("variables", {})
    given = _values(declared, chosen.get("variables", {}), values or {})
    workspace = {**root.get("workspace", {}), **chosen.get("workspace", {})}
    if not (root_path := workspace.get("root_path")):
        raise UsageError(f"{FILE}: the target {target} has no root_path in its workspace.")
    tree = {
        "bundle": {**root["bundle"], "target": target},
        "var": given,
        "resources": resources,
        "workspace": {
            **workspace,
            "file_path": f"{root_path}/files/{version}",
            "current_user": {"userName": user.name, "short_name": user.short_name},
        },
    }
    hints = {f"var.{name}": f"set {VARIABLE}{name}" for name in declared}
    common = {
        "run_as": chosen.get("run_as") or root.get("run_as") or user.run_as,
        "tags": _tags(root, chosen),
    }
    resolved, shared, root_path = resolve([resources, common, root_path], tree, hints)
    return Bundle(
        name=str(root["bundle"]["name"]),
        target=target,
        root_path=root_path,
        jobs={key: _with(job, shared) for key, job in resolved["jobs"].items()},
        schemas=resolved["schemas"],
        volumes=resolved["volumes"],
        by_cli={kind: sorted(resolved[kind]) for kind in BY_CLI if resolved[kind]},
        places={key: _place(job) for key, job in resources["jobs"].items()},
    )


def _with(job: Declared, shared: Declared) -> Declared:
    """A job with what all have."""
    return {"run_as": shared["run_as"], **job, "tags": {**shared["tags"], **job.get("tags", {})}}


def _tags(root: Declared, target: Declared) -> Declared:
    return {**root.get("presets", {}).get("tags", {}), **target.get("presets", {}).get("tags", {})}


def _values(declared: Declared, of_target: Declared, given: Mapping[str, str]) -> Declared:
    """The values of variables: those that are given, else of the target, else the default."""
    defaults = {name: variable["default"] for name, variable in declared.items() if "default" in variable}
    return {**defaults, **of_target, **given}


def _target(root: Declared, name: str) -> Declared:
    known = root.get("targets", {})
    if name not in known:
        raise UsageError(f"There is no target '{name}' in {FILE}; use one of {', '.join(known)}.")
    target: Declared = known[name]
    _require_known(target, "a target", f"{FILE}, {name}")
    return target


def _resources(project: Path, root: Declared) -> dict[str, Declared]:
    """The resources of all files, by kind and key."""
    files = sorted(file for pattern in root.get("include", []) for file in project.glob(pattern))
    merged: dict[str, Declared] = {kind: {} for kind in sorted(_KNOWN["resources"])}
    for file, content in [(project / FILE, root), *((file, _read(file)) for file in files)]:
        resources = content.get("resources", {})
        _require_known(resources, "resources", file.name)
        for kind, declared in resources.items():
            if twice := merged[kind].keys() & declared.keys():
                raise UsageError(f"{file}: {kind}.{min(twice)} is declared in another file, too.")
            if empty := [key for key, resource in declared.items() if not isinstance(resource, dict)]:
                raise UsageError(f"{file}: {kind}.{empty[0]} has no settings.")
            merged[kind] |= declared
    return merged


def _require_known(content: Declared, what: str, where: str) -> None:
    if unknown := sorted(content.keys() - _KNOWN[what]):
        raise UsageError(
            f"{where}: `lakehouse deploy` does not know {', '.join(unknown)} in {what}; "
            "use the CLI of Databricks for that."
        )


def _place(job: Declared) -> str:
    """Where a job begins: its name is the first that it has."""
    return next((text.place for text in job.values() if isinstance(text, Text)), FILE)


def _read(file: Path) -> Declared:
    try:
        with file.open(encoding="utf-8") as text:
            content = yaml.load(text, _Loader)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{file} is no bundle: it has no keys.")
    if file.name == FILE:
        _require_known(content, "the bundle", FILE)
    return content


class _Loader(yaml.CSafeLoader):
    """Reads texts with their places."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> Text:
    mark = node.start_mark
    return Text(loader.construct_scalar(node), f"{mark.name}:{mark.line + 1}")


_Loader.add_constructor("tag:yaml.org,2002:str", _text)
