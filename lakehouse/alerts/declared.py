"""What is checked: `alerts.yml` of the project, beside `dbt_project.yml`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lakehouse.errors import UsageError

FILE = "alerts.yml"

Severity = Literal["warn", "error"]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Snooze(_Declared):
    """Up to and with a day, alerts of a check, or of some entities, are not told and fail no command."""

    until: date
    entities: list[str] | None = None


class _Check(_Declared):
    """What all checks have. `owner` and `link` tell who looks after an alert, and where."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str
    severity: Severity = "warn"
    owner: str
    link: str
    snooze: Snooze | None = None

    def snoozed_until(self, entity: str) -> date | None:
        """The last day on which an entity is not told of."""
        if self.snooze and (self.snooze.entities is None or entity in self.snooze.entities):
            return self.snooze.until
        return None


class Thresholds(_Declared):
    """When a day is an anomaly.

    It is compared with the `days` before it, once there are `least_days`. It is farther from the median of
    its weekday than `spreads` times their spread, which is at least `least_spread`, and than the share
    `least_change`. A series whose median size is below `least_size` is not judged.
    """

    days: int = Field(ge=14)
    least_days: int = Field(ge=14)
    spreads: float = Field(gt=0)
    least_spread: float = Field(gt=0)
    least_change: float = Field(ge=0)
    least_size: float = Field(0, ge=0)


class AnomalyCheck(_Check):
    """A query gives `entity, date_day, value, size`, a row a day; the newest day is judged.

    Where `size` is null, a series is judged however small it is. One that ended is not, once the others are
    its days of history further.
    """

    kind: Literal["anomaly"]
    thresholds: Thresholds


class RowsCheck(_Check):
    """A query gives `entity, value, message`, a row for each thing that is wrong, and its `severity` if any.

    Rows whose value is less than `at_least` are left out.
    """

    kind: Literal["rows"]
    at_least: float | None = None


class FreshnessCheck(_Check):
    """Source tables are late or stale as their `freshness` in dbt says."""

    kind: Literal["freshness"]


Check = Annotated[AnomalyCheck | RowsCheck | FreshnessCheck, Field(discriminator="kind")]

_CHECKS = TypeAdapter(list[Check])


def query_file(project: Path, check: Check) -> Path:
    """The query of a check; a freshness check has none."""
    return project / "analyses" / "checks" / f"{check.name}.sql"


def read_checks(project: Path) -> list[Check]:
    """The checks of a project, in their order.

    Raises:
        UsageError: the file is missing or wrong; the message has the check and what is wrong with it.
    """
    file = project / FILE
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise UsageError(f"{file} is no YAML: {error}") from None
    if not isinstance(declared, dict) or "checks" not in declared:
        raise UsageError(f"{file} has no list `checks`.")
    try:
        checks = _CHECKS.validate_python(declared["checks"])
    except ValidationError as error:
        problems = (_problem(declared["checks"], found["loc"], found["msg"]) for found in error.errors())
        raise UsageError("\n".join(f"{file}: {problem}" for problem in problems)) from None
    _check_names(file, checks)
    for check in checks:
        if check.kind != "freshness" and not query_file(project, check).is_file():
            raise UsageError(f"{file}: {check.name}: there is no {query_file(project, check)}.")
    return checks


def _check_names(file: Path, checks: list[Check]) -> None:
    names = [check.name for check in checks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{file}: these names are there more than once: {', '.join(twice)}.")


def _problem(checks: object, loc: tuple[int | str, ...], message: str) -> str:
    """Where in the file something is wrong: the check by name or number, and what of it."""
    if not loc:
        return f"checks: {message}"
    number, *place = loc
    try:
        which = checks[number]["name"]  # type: ignore[index]
    except (LookupError, TypeError):
        which = f"check {int(number) + 1}"
    # Pydantic says the kind, too, in front of what is wrong with a check of it.
    return (
        ": ".join([str(which), ".".join(map(str, place[1:])), message])
        if place[1:]
        else f"{which}: {message}"
    )
