"""The page with the charts that people look at first."""

import json
import re
import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.charts.chart import table_chart
from lakehouse.charts.report import FIGURES, report_page, save
from lakehouse.cli import main
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT

from ..conftest import write_table
from .pages import faint_texts, needs_chromium, opened

MONEY = pa.decimal128(18, 2)
TIME = pa.timestamp("us", tz="UTC")
INGESTED_AT = datetime(2026, 11, 20, 8, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    _write_sales(home / "warehouse")
    _write_events(home / "warehouse")
    profits = [Decimal(n) for n in ("-1200.50", "30000", "800", "4000", "0.25")]
    orders = {
        "order_date": [date(2016, 3, 1), date(2016, 12, 31), *[date(2017, 12, 31)] * 3],
        "category": ["Furniture", "Technology", "Furniture", "Technology", "Technology"],
        "profit": pa.array(profits, MONEY),
    }
    write_table(home / "warehouse", "gold.fct_orders", pa.table(orders))
    write_table(home / "warehouse", "gold.profit_cube", pa.table({"profit": pa.array(profits, MONEY)}))
    visits = {
        "visit_date": [date(2026, 1, 1), date(2026, 1, 2)],
        "gym": pa.array([1, 10], pa.int64()),
        "minutes_exercising": pa.array([Decimal("30.5"), Decimal("20")], MONEY),
    }
    write_table(home / "warehouse", "gold.gym_summary", pa.table(visits))
    days = {
        "date_day": [date(2026, 1, 1), date(2026, 2, 1)],
        "channel": ["shopify", "stripe"],
        "amount_usd": pa.array([Decimal("1500"), Decimal("-20.5")], MONEY),
        "orders": pa.array([12, 0], pa.int64()),
        "is_complete": [True, True],
    }
    write_table(home / "warehouse", "gold.revenue_daily", pa.table(days))
    return home


@pytest.fixture(scope="module")
def page_file(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report_page(Warehouse(home / "warehouse"), PROJECT), encoding="utf-8")
    return file


def test_headlines_and_dates(page_file: Path) -> None:
    html = page_file.read_text(encoding="utf-8")
    headlines = re.findall(
        r'<dt>(.+?)</dt><dd><data value="(.+?)">(.+?)</data>(?: <small>(.+?)</small>)?', html
    )
    assert headlines == [
        ("Revenue of all channels", "1479.50", "1,480", "USD"),
        ("CRM sales lines", "400", "400", ""),
        ("CRM revenue", "80200.00", "80.2k", "no currency sent"),
        ("CRM profit", "400.00", "400", "no currency sent"),
        ("Storefront profit", "33599.75", "33.6k", "USD"),
        ("Exercise", "50.50", "50.5", "minutes"),
        ("Events", "41280", "41.3k", ""),
    ]
    assert "Data of 2026-11-20 08:03 UTC." in html
    assert f"Written {datetime.now(UTC):%Y-%m-%d} " in html


def test_every_chart_is_there_with_its_numbers(page_file: Path) -> None:
    html = page_file.read_text(encoding="utf-8")
    figures = re.findall(r"<figure>.+?</figure>", html, re.DOTALL)
    assert re.findall("<h2>(.+?)</h2>", "".join(figures)) == [figure.title for figure in FIGURES]
    assert [figure.count('role="img" aria-label="') for figure in figures] == [2] * len(FIGURES)
    _, countries, lines, _, profit, gyms, days, hours = figures
    assert "Events by day and action. Bars: Event count (events) by Day and Action, highest 3,840 " in days
    assert ">Hour of day</text>" in hours
    assert ">Profit (USD)</text>" in profit
    assert '<th scope="row">2016</th><td>30,000.00</td><td>-1,200.50</td>' in profit
    assert "Bars: Minutes exercising (minutes) by Visit date and Gym, highest 30.5 (2026-01-01, 1)." in gyms
    assert ">Sales amount (no currency sent)</text>" in countries
    assert "Left out: 2 rows without order date." in countries
    # The sales end in January, the orders with a year.
    assert "2014\nuntil 4 Jan" in countries and "until" not in profit
    assert "the last month, which is not complete (it goes until 2014-01-04)" in lines
    # A sale whose customer is not in the dimension is not lost.
    assert "(none)" in countries
    assert "Mountain &amp; &lt;b&gt;Road" in lines


def test_ids_are_unique(page_file: Path) -> None:
    ids = re.findall(r'\bid="(.+?)"', page_file.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids))


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(page_file: Path, scheme: str) -> None:
    with opened(page_file, scheme) as page:
        light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
        assert light == (scheme == "light")
        assert page.get_by_role("img").count() == len(FIGURES)
        for summary in page.get_by_text("Numbers", exact=True).all():
            summary.click()
        assert page.get_by_role("table").count() == len(FIGURES)
        assert faint_texts(page) == []
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.get_by_role("img").count() == len(FIGURES)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert faint_texts(page) == []


# What data may bring; `run` is what the page's title becomes when it runs.
_RUN = "document.title='run'"
_HOSTILE = [
    f"<script>{_RUN}</script>",
    f'"><img src=x onerror="{_RUN}">',
    f"</text></svg><script>{_RUN}</script>",
    f'<a href="javascript:{_RUN}">x</a>',
    f"javascript:{_RUN}",
    f"'+({_RUN})+'",
    "{{ 7 * 7 }} ${7*7}",
    "__proto__",
    f"]]> --> <svg onload={_RUN}>",
]


@needs_chromium
def test_a_page_runs_nothing_that_data_brings(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    names = [f"{text} {'long ' * 8}" for text in _HOSTILE]
    events = {"action": names, "event_count": list(range(1, len(names) + 1))}
    hours = {"hour": [INGESTED_AT] * len(names), "action": _HOSTILE, "event_count": events["event_count"]}
    write_table(tmp_path / "warehouse", "gold.events_by_action", pa.table(events))
    write_table(tmp_path / "warehouse", "gold.events_by_hour", pa.table(hours))
    models = tmp_path / "models"
    models.mkdir()
    model = {"name": "events_by_action", "description": _HOSTILE[0]}
    unit = {"name": "event_count", "config": {"meta": {"unit": _HOSTILE[1]}}}
    (models / "_gold__models.yml").write_text(json.dumps({"models": [model | {"columns": [unit]}]}))
    report, chart, image = (tmp_path / name for name in ("report.html", "chart.html", "chart.svg"))
    shutil.copytree(PROJECT / "analyses", tmp_path / "analyses")
    report.write_text(report_page(warehouse, tmp_path), encoding="utf-8")
    drawn = table_chart(warehouse, models, "gold.events_by_hour", "action", "event_count", "action")
    save(drawn, chart)
    save(drawn, image)
    for file in (report, chart, image):
        with opened(file, "light") as page:
            assert page.evaluate("document.title") != "run"
            found = page.evaluate("document.querySelectorAll('script, img, a, [onerror], [onload]').length")
            assert found == 0
            if file != image:
                assert page.get_by_text(_HOSTILE[0]).count() > 0


def test_the_command_says_what_is_not_built_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_sales(tmp_path / "warehouse")
    types = {"hour": TIME, "action": pa.string(), "event_count": pa.int64()}
    write_table(tmp_path / "warehouse", "gold.events_by_hour", pa.schema(types).empty_table())
    assert _report(tmp_path, monkeypatch) == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("<figure>") == 3
    assert html.count("Left out, no rows to draw in events_by_hour. Run `lakehouse run`.") == 2
    assert "Left out, not built yet: fct_orders. Run `lakehouse run`." in html


def test_errors(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(tmp_path, monkeypatch) == 2
    assert "run `lakehouse run` first" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert _report(home, monkeypatch, "--out", str(tmp_path / "file" / "x.html")) == 2
    assert "x.html cannot be written (" in capsys.readouterr().err


def _report(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["lakehouse", "report", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def _write_sales(warehouse: Path) -> None:
    count = 400
    days = [None if n < 2 else date(2012, 12, 1) + timedelta(days=n) for n in range(count)]
    sales = {
        "customer_key": [str(n % 4) for n in range(count)],
        "product_key": [str(n % 2) for n in range(count)],
        "order_date": pa.array(days, pa.date32()),
        "sales_amount": pa.array([Decimal(n + 1) for n in range(count)], MONEY),
        "profit": pa.array([Decimal(1)] * count, MONEY),
        "_ingested_at": pa.array([INGESTED_AT - timedelta(days=n) for n in range(count)], TIME),
    }
    customers = {"customer_key": ["0", "1", "2"], "country": ["Germany", "France", "Canada"]}
    products = {"product_key": ["0", "1"], "product_line": ["Mountain & <b>Road", "Touring"]}
    write_table(warehouse, "gold.fct_sales", pa.table(sales))
    write_table(warehouse, "gold.dim_customer", pa.table(customers))
    write_table(warehouse, "gold.dim_product", pa.table(products))


def _write_events(warehouse: Path) -> None:
    start = datetime(2026, 10, 1, tzinfo=UTC)
    actions = ["view", "buy"]
    by_hour = {
        "hour": pa.array([start + timedelta(hours=n) for n in range(240) for _ in actions], TIME),
        "action": actions * 240,
        "event_count": [160, 12] * 240,
    }
    write_table(warehouse, "gold.events_by_hour", pa.table(by_hour))
    by_action = {"action": actions, "event_count": [240 * 160, 240 * 12]}
    write_table(warehouse, "gold.events_by_action", pa.table(by_action))
