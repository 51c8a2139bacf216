"""What opens, stays, clears and is told, run by run."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from lakehouse.alerts.declared import RowsCheck, Snooze
from lakehouse.alerts.digest import Digest, news
from lakehouse.alerts.findings import Finding
from lakehouse.alerts.state import Alert, update

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
CHECK = RowsCheck(name="stock", description="Out.", kind="rows", owner="me", link="here")


class Runs:
    """Runs of one check, a day apart; each is told, unless the server is down."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.now = NOW
        self.check = CHECK

    def run(self, *entities: str, not_run: Collection[str] = (), down: bool = False) -> Digest:
        self.now += timedelta(days=1)
        findings = [Finding("stock", entity, "none left", "warn", 0) for entity in entities]
        self.alerts = update(self.alerts, [self.check], findings, not_run, self.now)
        digest = news(self.alerts, self.now)
        if not down:
            self.alerts = [alert.told(self.now) for alert in self.alerts]
        return digest

    def snooze(self, until: datetime | None) -> None:
        snooze = Snooze(until=until.date()) if until else None
        self.check = CHECK.model_copy(update={"snooze": snooze})


def told(digest: Digest) -> tuple[list[str], list[str]]:
    return _entities(digest.opened), _entities(digest.cleared)


def _entities(alerts: Sequence[Alert]) -> list[str]:
    return [alert.entity for alert in alerts]


NOTHING: tuple[list[str], list[str]] = ([], [])


def test_it_opens_once_and_clears_once_after_two_good_runs() -> None:
    runs = Runs()
    assert told(runs.run("a")) == (["a"], [])
    assert told(runs.run("a")) == NOTHING
    assert told(runs.run()) == NOTHING
    assert told(runs.run()) == ([], ["a"])
    assert told(runs.run()) == NOTHING
    (alert,) = runs.alerts
    assert (alert.opened_at, alert.last_seen_at, alert.cleared_at) == tuple(
        NOW + timedelta(days=days) for days in (1, 2, 4)
    )
    assert (alert.notified_at, alert.clear_notified_at) == (alert.opened_at, alert.cleared_at)


def test_what_comes_and_goes_stays_open() -> None:
    runs = Runs()
    runs.run("a")
    for _ in range(3):
        assert told(runs.run()) == NOTHING
        assert told(runs.run("a")) == NOTHING
    assert told(runs.run()) == NOTHING
    assert told(runs.run()) == ([], ["a"])


def test_what_opens_again_is_another_alert() -> None:
    runs = Runs()
    runs.run("a")
    runs.run()
    runs.run()
    assert told(runs.run("a")) == (["a"], [])
    assert [alert.cleared_at is None for alert in runs.alerts] == [False, True]


def test_the_alerts_of_a_check_that_did_not_run_stay() -> None:
    runs = Runs()
    runs.run("a")
    for _ in range(3):
        assert told(runs.run(not_run={"stock"})) == NOTHING
    (alert,) = runs.alerts
    assert alert.good_runs == 0 and alert.cleared_at is None


def test_the_alerts_of_a_check_that_is_no_more_clear() -> None:
    runs = Runs()
    runs.run("a")
    runs.check = CHECK.model_copy(update={"name": "other"})
    runs.alerts = update(runs.alerts, [runs.check], [], (), runs.now)
    runs.alerts = update(runs.alerts, [runs.check], [], (), runs.now)
    assert told(news(runs.alerts, runs.now)) == ([], ["a"])


def test_nothing_is_lost_while_the_server_is_down() -> None:
    runs = Runs()
    runs.run("a", down=True)
    runs.run("a", "b", down=True)
    runs.run("b", down=True)
    runs.run("b", down=True)
    # It opened and cleared meanwhile.
    assert told(runs.run("b")) == (["a", "b"], ["a"])
    assert told(runs.run("b")) == NOTHING


def test_who_is_named_later_is_told_what_is_open_and_what_was_last_week() -> None:
    runs = Runs()
    runs.run("old", "open", down=True)
    for _ in range(2):
        runs.run("open", down=True)
    for _ in range(5):
        runs.run("open", "new", down=True)
    for _ in range(2):
        runs.run("open", down=True)
    runs.run("open", down=True)
    assert told(runs.run("open")) == (["open", "new"], ["new"])


def test_what_is_snoozed_is_told_when_it_is_still_there() -> None:
    runs = Runs()
    runs.snooze(NOW + timedelta(days=2))
    assert told(runs.run("a")) == NOTHING
    # Up to and with the day.
    assert told(runs.run("a")) == NOTHING
    assert told(runs.run("a")) == (["a"], [])


def test_what_clears_while_it_is_snoozed_is_not_told() -> None:
    runs = Runs()
    runs.snooze(NOW + timedelta(days=4))
    runs.run("a")
    for _ in range(6):
        assert told(runs.run()) == NOTHING
    assert runs.alerts[0].cleared_at is not None


def test_that_it_cleared_is_told_to_who_knew_of_it_before_it_was_snoozed() -> None:
    runs = Runs()
    assert told(runs.run("a")) == (["a"], [])
    runs.snooze(NOW + timedelta(days=9))
    runs.run()
    assert told(runs.run()) == ([], ["a"])


def test_a_snooze_that_is_taken_back_ends_at_once() -> None:
    runs = Runs()
    runs.snooze(NOW + timedelta(days=90))
    assert told(runs.run("a")) == NOTHING
    runs.snooze(None)
    assert told(runs.run("a")) == (["a"], [])
    assert runs.alerts[0].snoozed_until is None


def test_figures_are_those_that_were_found_last() -> None:
    first = Finding("stock", "a", "2 left", "warn", 2, 9, 5, 13)
    last = Finding("stock", "a", "1 left", "error", 1, 8, 4, 12)
    alerts = update([], [CHECK], [first], (), NOW)
    (alert,) = update(alerts, [CHECK], [last], (), NOW + timedelta(days=1))
    found = (alert.message, alert.severity, alert.value, alert.expected, alert.low, alert.high)
    assert found == ("1 left", "error", 1, 8, 4, 12)
    assert alert.opened_at == NOW and alert.snoozed_until is None
    assert date(2026, 6, 2) == alert.last_seen_at.date()
