"""Looking for what is wrong, by `alerts.yml`, and telling what opened and cleared, by `ops.alerts`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console

from ingestion.contracts import read_contracts
from lakehouse.alerts.declared import Check, read_checks
from lakehouse.alerts.digest import Digest, news, receivers, send
from lakehouse.alerts.findings import Answer, Lakehouse, ask
from lakehouse.alerts.state import Alert, read_alerts, update, write_alerts
from lakehouse.engines.local import tables_and_discovery
from lakehouse.settings import Settings
from lakehouse.steps.last_build import was_built
from lakehouse.terminal import say

if TYPE_CHECKING:
    from apprise import Apprise


@dataclass(frozen=True)
class Watch:
    """What is checked, and who is told; null for nobody."""

    checks: Sequence[Check]
    receivers: "Apprise | None"


def watch(settings: Settings) -> Watch:
    """Read what is checked and who is told, before anything else is done.

    Raises:
        UsageError: `alerts.yml` or LAKEHOUSE_NOTIFY is wrong.
    """
    return Watch(read_checks(settings.project), receivers(settings.notify))


def check(settings: Settings, watch: Watch, console: Console, now: datetime | None = None) -> str:
    """Run the checks, and show and tell what opened and cleared; `now` is in UTC.

    What could not be told is told by the next run. Returns what to say where something of severity error was
    found, else nothing.
    """
    now = now or datetime.now(UTC)
    asked = Lakehouse(
        settings.project,
        settings.warehouse,
        read_contracts(settings.models),
        was_built(settings),
        now,
    )
    answers = {check.name: ask(check, asked) for check in watch.checks}
    findings = [finding for answer in answers.values() for finding in answer.findings]
    not_run = {name for name, answer in answers.items() if not answer.ran}
    alerts = update(read_alerts(settings.warehouse), watch.checks, findings, not_run, now)
    tables, _ = tables_and_discovery(settings)
    # Before anything is told: who is killed meanwhile tells it again, with the same times.
    write_alerts(tables, alerts)
    _show(console, answers, alerts, now)
    if watch.receivers and (digest := news(alerts, now)):
        if failed := send(watch.receivers, digest):
            say(
                console,
                f"Alerts were not sent by {', '.join(failed)}; the next run does. `apprise -vv` says why.",
            )
        else:
            write_alerts(tables, [alert.told(now) for alert in alerts])
    found = {finding.fingerprint for finding in findings if finding.severity == "error"}
    return _problem([alert for alert in alerts if alert.fingerprint in found and _counts(alert, now)])


def _counts(alert: Alert, now: datetime) -> bool:
    return alert.cleared_at is None and not alert.is_quiet(now.date())


def _show(console: Console, answers: Mapping[str, Answer], alerts: Sequence[Alert], now: datetime) -> None:
    if left_out := [name for name, answer in answers.items() if answer.is_left_out]:
        say(console, f"Not checked, as their tables are not there yet: {', '.join(left_out)}")
    for name, answer in answers.items():
        if answer.learning:
            say(console, f"{name}: too few days yet of {', '.join(answer.learning)}")
    digest = Digest.of(alerts, lambda alert: alert.opened_at == now, lambda alert: alert.cleared_at == now)
    for text in filter(None, (digest.body, digest.title)):
        say(console, text, several_lines=True)


def _problem(alerts: Sequence[Alert]) -> str:
    if not alerts:
        return ""
    named = "\n".join(f"{alert.fingerprint}: {alert.message}" for alert in alerts)
    return f"{len(alerts)} alerts of severity error are open, see `lakehouse status`:\n{named}"
