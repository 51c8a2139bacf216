"""How settings of a job differ from those in the workspace, field by field."""

from dataclasses import dataclass
from typing import Any

from lakehouse.deployment.bundle import Declared

# How elements of lists are called; others by their place.
_NAMES = ("task_key", "environment_key", "job_cluster_key", "name", "metric")
# What the workspace says where nothing was said.
_DEFAULTS: dict[str, Any] = {
    "disable_auto_optimization": False,
    "edit_mode": "EDITABLE",
    "format": "MULTI_TASK",
    "max_retries": 0,
    "min_retry_interval_millis": 0,
    "no_alert_for_skipped_runs": False,
    "pause_status": "UNPAUSED",
    "performance_target": "PERFORMANCE_OPTIMIZED",
    "retry_on_timeout": False,
    "run_if": "ALL_SUCCESS",
    "source": "WORKSPACE",
    "timeout_seconds": 0,
}


@dataclass(frozen=True)
class Change:
    """A field whose value changes; null where it is not there."""

    field: str
    before: Any
    after: Any


def changes(before: Declared, after: Declared) -> list[Change]:
    """The fields that differ, in order; defaults and the order of what has a name make no difference."""
    old, new = _without_defaults(flat(before)), _without_defaults(flat(after))
    # A cluster has settings of its cloud.
    old = {path: value for path, value in old.items() if "new_cluster" not in path or path in new}
    names = sorted(old.keys() | new.keys())
    return [Change(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Values that are neither lists nor mappings, by their path, such as `tasks.load.timeout_seconds`."""
    if isinstance(value, dict):
        parts = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        parts = [(_name(inner, place), inner) for place, inner in enumerate(value)]
    else:
        return {path: value}
    return {
        name: leaf
        for key, inner in parts
        for name, leaf in flat(inner, f"{path}.{key}" if path else key).items()
    }


def _name(value: Any, place: int) -> str:
    names = [value[name] for name in _NAMES if name in value] if isinstance(value, dict) else []
    return str(names[0] if names else place)


def _without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        path: value
        for path, value in fields.items()
        if value is not None and value != _DEFAULTS.get(path.rpartition(".")[2])
    }
