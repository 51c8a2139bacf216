"""`lakehouse check`: who is told what and when, by a real mail server and webhook, and how it ends."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from rich.console import Console

from ingestion.bronze.load_log import create_tables
from ingestion.tables.local import LocalTables
from lakehouse.alerts.declared import Snooze
from lakehouse.errors import UsageError
from lakehouse.reading.query import read
from lakehouse.reading.status import show
from lakehouse.settings import Settings, load_settings
from lakehouse.steps.check import Watch, check, watch

from ..alerts import tables
from ..alerts.servers import Mailbox, Webhook
from ..alerts.tables import NOW
from ..conftest import Lakehouse

# Of the shop, and so of all channels, in revenue and in orders: four alerts.
FALL = 300
OPENED, CLEARED = "Alerts: 4 opened, 0 cleared, 4 open", "Alerts: 0 opened, 4 cleared, 0 open"


@dataclass
class Home:
    """A home of a shop, which is checked each hour."""

    settings: Settings
    watched: Watch
    now: datetime = NOW
    said: list[str] = field(default_factory=list)

    def check(self, newest: float = 1000) -> str:
        """Check when the shop earned `newest` on its newest complete day; what it says of errors."""
        tables.write_revenue(self.settings.warehouse.root, newest)
        console = Console(width=200, record=True)
        problem = check(self.settings, self.watched, console, self.now)
        self.said.append(console.export_text())
        self.now += timedelta(hours=1)
        return problem

    def tell(self, *urls: str) -> None:
        """Tell these from now on."""
        self.settings = _settings(self.settings.home, LAKEHOUSE_NOTIFY=" ".join(urls))
        self.watched = replace(watch(self.settings), checks=self.watched.checks)

    def change(self, name: str, **changes: object) -> None:
        """Declare a check otherwise."""
        self.watched = replace(
            self.watched,
            checks=[
                each.model_copy(update=changes) if each.name == name else each for each in self.watched.checks
            ],
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return read(self.settings.warehouse, sql).rows

    def shown(self) -> str:
        """What `lakehouse status` shows in a narrow terminal, on one line."""
        console = Console(width=80, record=True)
        show(self.settings.warehouse, [], console)
        return " ".join(console.export_text().split())


def _settings(home: Path, **settings: str) -> Settings:
    return load_settings(LAKEHOUSE_HOME=str(home), **settings)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    settings = _settings(tmp_path)
    return Home(settings, watch(settings))


def test_mail_and_webhook_are_told_once_that_it_opened_and_once_that_it_cleared(home: Home) -> None:
    with Mailbox().up() as mailbox, Webhook().up() as webhook:
        home.tell(mailbox.url, webhook.url)
        for newest in (1000, FALL, FALL, 1000, 1000, 1000):
            # Warnings fail no command.
            assert home.check(newest) == ""
    assert mailbox.subjects == webhook.titles == [OPENED, CLEARED]
    body = webhook.posts[0]["message"]
    assert "Opened: revenue (warn), for sales" in body
    assert "- shop: 300 on Sunday, 2026-08-02, expected 1,000 (700 to 1,300)" in body
    assert 'lakehouse query "select * from gold.revenue_daily' in body
    assert "expected 1,000 (700 to 1,300)" in mailbox.texts[0]
    assert "Cleared: orders (warn), for sales" in webhook.posts[1]["message"]
    columns = "count(*), count(cleared_at), count(notified_at), count(clear_notified_at)"
    assert home.rows(f"select {columns} from ops.alerts") == [(4, 4, 4, 4)]


def test_nothing_is_lost_while_the_server_is_down(home: Home) -> None:
    webhook = Webhook()
    with webhook.up():
        home.tell(webhook.url)
    home.check(FALL)
    assert "Alerts were not sent by JSON; the next run does." in home.said[-1]
    assert "secret-password" not in "".join(home.said)
    webhook.status = 503
    with webhook.up():
        home.check(FALL)
        assert home.rows("select count(notified_at) from ops.alerts") == [(0,)]
        webhook.status = 200
        home.check(FALL)
        home.check(FALL)
    assert webhook.titles == [OPENED]
    opened_at = NOW.replace(tzinfo=None)
    assert home.rows("select distinct opened_at, notified_at from ops.alerts") == [
        (opened_at, opened_at + timedelta(hours=2))
    ]


def test_what_opened_and_cleared_while_the_server_was_down_is_told_as_both(home: Home) -> None:
    webhook = Webhook()
    with webhook.up():
        home.tell(webhook.url)
    for newest in (FALL, 1000, 1000):
        home.check(newest)
    with webhook.up():
        home.check()
        home.check()
    assert webhook.titles == ["Alerts: 4 opened, 4 cleared, 0 open"]


def test_a_snooze_keeps_an_entity_quiet_until_it_ends(home: Home) -> None:
    home.change("revenue", snooze=Snooze(until=NOW.date(), entities=["shop"]))
    with Webhook().up() as webhook:
        home.tell(webhook.url)
        home.check(FALL)
        home.now += timedelta(days=1)
        home.check(FALL)
    assert webhook.titles == ["Alerts: 3 opened, 0 cleared, 4 open", "Alerts: 1 opened, 0 cleared, 4 open"]
    revenue, later = webhook.posts[0]["message"].partition("Opened: revenue")[2], webhook.posts[1]["message"]
    assert "- all channels" in revenue and "- shop" not in revenue
    assert "- all channels" not in later and "- shop" in later


def test_an_error_fails_the_command_as_long_as_it_is_found_and_not_snoozed(home: Home) -> None:
    home.change("revenue", severity="error")
    problem = home.check(FALL)
    assert problem.startswith("2 alerts of severity error are open, see `lakehouse status`:\n")
    assert "revenue: shop: 300 on Sunday" in problem and "orders" not in problem
    # They are still open, but were not found.
    assert home.check() == ""
    home.change("revenue", snooze=Snooze(until=NOW.date()))
    assert home.check(FALL) == ""


def test_a_long_list_is_counted(home: Home) -> None:
    stock = [(1, f"SKU-{number:02}", 1, 0, False, False) for number in range(25)]
    tables.write_stock(home.settings.warehouse.root, *stock)
    with Webhook().up() as webhook:
        home.tell(webhook.url)
        home.check()
    first, *lines, last, _ = webhook.posts[0]["message"].splitlines()
    assert first == "Opened: stock_outs (warn), for warehouse"
    assert [line.partition(":")[0] for line in lines] == [f"- SKU-{number:02} at 1" for number in range(10)]
    assert last == "- and 15 more"


def test_a_message_that_is_too_long_for_its_service_is_split(home: Home) -> None:
    home.tell("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js")
    assert home.watched.receivers is not None
    (service,) = home.watched.receivers
    assert service.overflow_mode == "split"


def test_status_shows_what_is_open(home: Home) -> None:
    create_tables(LocalTables(home.settings.warehouse.folders))
    home.check(FALL)
    assert "Open alerts (ops.alerts)" in home.shown() and "shop: 300 on Sunday" in home.shown()
    home.check()
    home.check()
    assert "Open alerts" not in home.shown()


def test_its_columns_are_described(home: Home) -> None:
    home.check(FALL)
    home.check(FALL)
    fields = DeltaTable(home.settings.warehouse.tables()["ops.alerts"]).schema().fields
    assert [field.name for field in fields if not field.metadata.get("comment")] == []


@pytest.mark.parametrize("urls", ["nonsense", "json://127.0.0.1/a pigeon://user:secret-password@coop"])
def test_a_url_that_is_none_is_told_without_its_secrets(tmp_path: Path, urls: str) -> None:
    with pytest.raises(UsageError, match=r"LAKEHOUSE_NOTIFY: URL \d of \d is none") as raised:
        watch(_settings(tmp_path, LAKEHOUSE_NOTIFY=urls))
    assert "secret-password" not in str(raised.value)


def test_the_command_ends_as_its_findings_and_settings_are(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    tables.write_revenue(lakehouse.home / "warehouse", FALL)
    output = lakehouse.run("check")
    assert "Opened: revenue (warn), for sales" in output and OPENED in output
    assert "Alerts: 0 opened, 0 cleared, 4 open" in lakehouse.run("check")
    tables.write_extracts(lakehouse.home / "warehouse", ("orders", 0, "401 of GET /orders"))
    output = lakehouse.run("check", exit_code=1)
    assert "1 alerts of severity error are open" in output
    assert "extractions: api.orders: stopped after 3 pages" in output
    lakehouse.settings["LAKEHOUSE_NOTIFY"] = "pigeon://user:secret-password@coop"
    output = lakehouse.run("check", exit_code=2)
    assert "LAKEHOUSE_NOTIFY" in output and "secret-password" not in output


def test_without_tables_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert "There are no tables" in Lakehouse(tmp_path).run("check", exit_code=2)
