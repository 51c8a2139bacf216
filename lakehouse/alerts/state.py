"""`ops.alerts`: what opened, was last seen, cleared, and was told."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from ingestion.tables import Tables, commented_schema
from lakehouse.alerts.declared import Check
from lakehouse.alerts.findings import Finding
from lakehouse.reading.query import read
from lakehouse.warehouse import Warehouse

ALERTS = "ops.alerts"

# One good run may be chance: a value at the edge comes and goes.
_GOOD_RUNS = 2
# What cleared longer ago is no news, such as to receivers who are named later.
_NEWS = timedelta(days=7)

_TIME = pa.timestamp("us", tz="UTC")
ALERTS_SCHEMA = commented_schema(
    ("fingerprint", pa.string(), "Check and entity: the same from run to run"),
    ("check_name", pa.string(), "Check in alerts.yml"),
    ("entity", pa.string(), "What is wrong, such as a channel, a table or an article"),
    ("severity", pa.string(), "warn, or error, with which a check fails"),
    ("message", pa.string(), "What was found last, in words"),
    ("value", pa.float64(), "What was found last, where it is a number"),
    ("expected", pa.float64(), "What was expected instead; null where there is no expectation"),
    ("low", pa.float64(), "From here on it would have been no anomaly"),
    ("high", pa.float64(), "Up to here it would have been no anomaly"),
    ("owner", pa.string(), "Who looks after it"),
    ("link", pa.string(), "Where to look"),
    ("opened_at", _TIME, "When it was found first"),
    ("last_seen_at", _TIME, "When it was found last"),
    ("good_runs", pa.int64(), "Checks since then that did not find it"),
    ("cleared_at", _TIME, "When it was gone for two checks; null while it is open"),
    ("snoozed_until", pa.date32(), "Up to and with this day nobody is told that it opened"),
    ("notified_at", _TIME, "When it was told that it opened; null until then"),
    ("clear_notified_at", _TIME, "When it was told that it cleared; null until then"),
)


@dataclass(frozen=True)
class Alert:
    """A row of `ops.alerts`. What opens again after it cleared is a new one."""

    fingerprint: str
    check_name: str
    entity: str
    severity: str
    message: str
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    owner: str
    link: str
    opened_at: datetime
    last_seen_at: datetime
    good_runs: int = 0
    cleared_at: datetime | None = None
    snoozed_until: date | None = None
    notified_at: datetime | None = None
    clear_notified_at: datetime | None = None

    def is_quiet(self, today: date) -> bool:
        """Whether it is snoozed, or was when it cleared."""
        end = self.cleared_at.date() if self.cleared_at else today
        return self.snoozed_until is not None and end <= self.snoozed_until

    def opening_is_news(self, now: datetime) -> bool:
        """Whether it is to be told that it opened."""
        return self.notified_at is None and self._is_recent(now) and not self.is_quiet(now.date())

    def clearing_is_news(self, now: datetime) -> bool:
        """Whether it is to be told that it cleared; whoever is told knows, or is told, that it opened."""
        known = self.notified_at is not None or self.opening_is_news(now)
        return (
            self.cleared_at is not None and self.clear_notified_at is None and self._is_recent(now) and known
        )

    def told(self, now: datetime) -> "Alert":
        """The alert after all its news were told."""
        opening = now if self.opening_is_news(now) else self.notified_at
        clearing = now if self.clearing_is_news(now) else self.clear_notified_at
        return replace(self, notified_at=opening, clear_notified_at=clearing)

    def _is_recent(self, now: datetime) -> bool:
        return self.cleared_at is None or now - self.cleared_at <= _NEWS


def read_alerts(warehouse: Warehouse) -> list[Alert]:
    """All alerts there ever were, the oldest first."""
    if ALERTS not in warehouse.folders.tables():
        return []
    alerts = read(warehouse, f"select * from {ALERTS} order by opened_at, fingerprint")
    return [Alert(**_in_utc(dict(zip(alerts.columns, row, strict=True)))) for row in alerts.rows]


def write_alerts(tables: Tables, alerts: Sequence[Alert]) -> None:
    """Replace all rows of `ops.alerts`, in one commit."""
    tables.create(ALERTS, ALERTS_SCHEMA)
    rows = pa.Table.from_pylist([asdict(alert) for alert in alerts], schema=ALERTS_SCHEMA)
    tables.overwrite(ALERTS, rows)


def update(
    alerts: Iterable[Alert],
    checks: Iterable[Check],
    findings: Iterable[Finding],
    not_run: Collection[str],
    now: datetime,
) -> list[Alert]:
    """The alerts after a run: found again, found no more, or new. Those of checks that did not run stay."""
    declared = {check.name: check for check in checks}
    found = {finding.fingerprint: finding for finding in findings}
    updated = []
    for alert in alerts:
        if alert.cleared_at is None:
            finding = found.pop(alert.fingerprint, None)
            check = declared.get(alert.check_name)
            if finding and check:
                alert = _seen(alert, finding, check, now)
            elif alert.check_name not in not_run:
                alert = _not_seen(alert, check, now)
        updated.append(alert)
    return updated + [_opened(finding, declared[finding.check], now) for finding in found.values()]


def _opened(finding: Finding, check: Check, now: datetime) -> Alert:
    figures = asdict(finding)
    name = figures.pop("check")
    until = check.snoozed_until(finding.entity)
    return Alert(
        finding.fingerprint,
        check_name=name,
        owner=check.owner,
        link=check.link,
        opened_at=now,
        last_seen_at=now,
        snoozed_until=until,
        **figures,
    )


def _seen(alert: Alert, finding: Finding, check: Check, now: datetime) -> Alert:
    again = _opened(finding, check, now)
    return replace(again, opened_at=alert.opened_at, notified_at=alert.notified_at)


def _not_seen(alert: Alert, check: Check | None, now: datetime) -> Alert:
    good_runs = alert.good_runs + 1
    return replace(
        alert,
        good_runs=good_runs,
        cleared_at=now if good_runs >= _GOOD_RUNS else None,
        snoozed_until=check.snoozed_until(alert.entity) if check else None,
    )


def _in_utc(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in row.items()}
