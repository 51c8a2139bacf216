"""What each kind of check finds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.contracts import SourceTable
from lakehouse.alerts.anomaly import Verdict, judge
from lakehouse.alerts.declared import (
    AnomalyCheck,
    Check,
    FreshnessCheck,
    RowsCheck,
    Severity,
    query_file,
)
from lakehouse.errors import LakehouseError
from lakehouse.reading.freshness import Delivery, deliveries
from lakehouse.reading.query import names_referred_to, read, sources_referred_to
from lakehouse.warehouse import Warehouse

_SECONDS_A_DAY = 86_400
# The entity of a check that could not run.
ITSELF = "the check itself"


@dataclass(frozen=True)
class Finding:
    """What is wrong with an entity, such as a channel or a table, and the figures that say so."""

    check: str
    entity: str
    message: str
    severity: Severity
    value: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def fingerprint(self) -> str:
        """What is the same from run to run."""
        return f"{self.check}: {self.entity}"


@dataclass(frozen=True)
class Answer:
    """What a check found, whether it `ran`, and which entities have too few days yet."""

    findings: list[Finding] = field(default_factory=list)
    ran: bool = True
    learning: list[str] = field(default_factory=list)

    @property
    def is_left_out(self) -> bool:
        """Whether what it asks is not there yet."""
        return not self.ran and not self.findings


@dataclass(frozen=True)
class Lakehouse:
    """What checks ask. Once it `is_complete`, all models were built, and one that is missing is a failure."""

    project: Path
    warehouse: Warehouse
    contracts: Sequence[SourceTable]
    is_complete: bool
    now: datetime


def ask(check: Check, lakehouse: Lakehouse) -> Answer:
    """Run a check; one that fails finds that it could not run."""
    try:
        if isinstance(check, FreshnessCheck):
            return _late(check, lakehouse)
        sql = query_file(lakehouse.project, check).read_text(encoding="utf-8")
        tables = lakehouse.warehouse.tables()
        if not set(sources_referred_to(sql)) <= tables.keys():
            # Nothing was written to a log.
            return Answer()
        if not lakehouse.is_complete and _lacks_models(sql, tables):
            return Answer(ran=False)
        result = read(lakehouse.warehouse, sql)
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return (
            _anomalies(check, rows, lakehouse.now) if isinstance(check, AnomalyCheck) else _rows(check, rows)
        )
    except KeyError as error:
        return _failed(check, f"its query gives no column {error}")
    except Exception as error:
        # Whatever is wrong with one, the other checks run.
        return _failed(check, str(error) or type(error).__name__)


def _failed(check: Check, reason: str) -> Answer:
    message = f"it could not run: {reason.splitlines()[0]}"
    return Answer([Finding(check.name, ITSELF, message, check.severity)], ran=False)


def _lacks_models(sql: str, tables: Iterable[str]) -> bool:
    return not set(names_referred_to(sql)) <= {name.split(".")[1] for name in tables}


def _rows(check: RowsCheck, rows: Sequence[dict[str, Any]]) -> Answer:
    found = [
        Finding(
            check.name,
            str(row["entity"]),
            str(row["message"]),
            row.get("severity") or check.severity,
            None if row["value"] is None else float(row["value"]),
        )
        for row in rows
    ]
    least = check.at_least
    return Answer([f for f in found if least is None or (f.value is not None and f.value >= least)])


def _anomalies(check: AnomalyCheck, rows: Sequence[dict[str, Any]], now: datetime) -> Answer:
    values: dict[str, dict[date, float]] = defaultdict(dict)
    sizes: dict[str, dict[date, float | None]] = defaultdict(dict)
    for row in rows:
        entity, day, value, size = (row[name] for name in ("entity", "date_day", "value", "size"))
        if value is None:
            raise LakehouseError(f"{entity} has no value on {day}")
        # Today is still running.
        if day < now.date():
            values[entity][day] = float(value)
            sizes[entity][day] = size
    ended = max(map(max, values.values()), default=now.date()) - timedelta(check.thresholds.days)
    verdicts = {
        entity: judge(values[entity], sizes[entity], check.thresholds)
        for entity in sorted(values)
        if max(values[entity]) > ended
    }
    return Answer(
        [
            Finding(check.name, entity, str(verdict), check.severity, *verdict.figures)
            for entity, verdict in verdicts.items()
            if isinstance(verdict, Verdict) and verdict.is_anomaly
        ],
        learning=[entity for entity, verdict in verdicts.items() if verdict == "learning"],
    )


def _late(check: FreshnessCheck, lakehouse: Lakehouse) -> Answer:
    """Stale and missing tables have the severity of the check; one that is only late is warned of."""
    found = deliveries(lakehouse.warehouse, lakehouse.contracts)
    in_use = {delivery.table.source for delivery in found if delivery.delivered_at}
    findings = []
    for delivery in found:
        freshness = delivery.table.freshness
        if delivery.table.source not in in_use or not (freshness.warn_after or freshness.error_after):
            continue
        if finding := _lateness(check, delivery, lakehouse.now):
            findings.append(finding)
    return Answer(findings)


def _lateness(check: FreshnessCheck, delivery: Delivery, now: datetime) -> Finding | None:
    label, state = delivery.table.label, delivery.state(now)
    if delivery.delivered_at is None:
        return Finding(check.name, label, "never came, while others of its source did", check.severity)
    if state == "fresh":
        return None
    days = (now - delivery.delivered_at).total_seconds() / _SECONDS_A_DAY
    message = f"{state}: came last {days:.1f} days ago, {delivery.delivered_at:%Y-%m-%d %H:%M} UTC"
    return Finding(check.name, label, message, "warn" if state == "late" else check.severity, days)
