"""What pages show is what the tables hold."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from lakehouse.charts.files import exact_text
from lakehouse.dashboards.pages import Dashboard, NoPage
from lakehouse.errors import UsageError
from lakehouse.reading.query import read
from lakehouse.semantics.queries import read_queries
from lakehouse.warehouse import Warehouse

from ..conftest import DAYS, FIRST, NAMES, write_table
from .conftest import make_dashboard

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

LAST = FIRST + timedelta(days=DAYS - 2)  # the newest day may not be over


def tile(html: str, title: str) -> str:
    """The HTML of the tile with a title."""
    (found,) = [part for part in html.split("<section")[1:] if f">{title}</h2>" in part]
    return found


def exact(html: str, title: str) -> str:
    """The number of a tile as it is exactly."""
    return re.findall('<data value="([^"]*)"', tile(html, title))[0]


def test_every_tile_has_something_to_show(dashboard: Dashboard) -> None:
    for name, declared in dashboard.pages.items():
        html = dashboard.page(name, {})
        assert html.count("<section") == len(declared.page.tiles)
        assert re.findall('<p class="(?:failed|empty)">(.*?)</p>', html) == [], name


def test_a_number_is_its_metric_to_the_cent(home: Path, dashboard: Dashboard, project: "Manifest") -> None:
    metrics, checked = read_queries(project).known, 0
    for name, declared in dashboard.pages.items():
        html = dashboard.page(name, {})
        for number in declared.page.tiles:
            if number.mark == "number" and number.metrics and html.count(f">{number.title}</h2>") == 1:
                metric = metrics[number.metrics[0]]
                first = LAST - timedelta(days=(number.days or 0) - 1)
                days = f"cast({metric.time} as date) between date'{first}' and date'{LAST}'"
                ((value,),) = read(
                    Warehouse(home / "warehouse"), metric.sql(where=[days] if number.days else [])
                ).rows
                assert exact(html, number.title) == ("" if value is None else exact_text(value)), number.title
                checked += 1
    assert checked > 15


def test_revenue_of_thirteen_weeks(home: Path, dashboard: Dashboard) -> None:
    days = f"'{LAST - timedelta(days=90)}' and occurred_at < '{LAST + timedelta(days=1)}'"
    sql = f"select sum(amount_usd) from gold.fct_revenue where occurred_at >= {days}"
    ((value,),) = read(Warehouse(home / "warehouse"), sql).rows
    assert isinstance(value, Decimal) and exact(dashboard.page("executive", {}), "Revenue") == f"{value:,}"


@pytest.mark.parametrize("channel", NAMES)
def test_a_filter_narrows_whatever_the_name(home: Path, dashboard: Dashboard, channel: str) -> None:
    whole, html = dashboard.page("executive", {}), dashboard.page("executive", {"channel": channel})
    assert exact(html, "Orders") != exact(whole, "Orders")
    assert "Of all: this is not known by channel" in tile(html, "CRM profit")
    assert "<script>alert" not in html and "<script>alert" not in whole


def test_a_row_leads_to_its_page(dashboard: Dashboard) -> None:
    links = re.findall('href="/daily_revenue[?]channel=([^"]+)"', dashboard.page("executive", {}))
    assert "%3Cscript%3Ealert%281%29%3C%2Fscript%3E" in links


@pytest.mark.parametrize("query", [{"channel": "nobody"}, {"channel": "' or 1 = 1 --"}, {"colour": "red"}])
def test_a_broken_filter_is_refused(dashboard: Dashboard, query: dict[str, str]) -> None:
    with pytest.raises(
        UsageError, match=r"Choose another on the page|has no filter 'colour'\. It has channel"
    ):
        dashboard.page("executive", query)


def test_an_unknown_page_is_refused(dashboard: Dashboard) -> None:
    with pytest.raises(NoPage, match="There is no page 'nothing'"):
        dashboard.page("nothing", {})


def test_without_a_table_a_tile_says_so(tmp_path: Path, project: "Manifest") -> None:
    shown = make_dashboard(tmp_path, project)
    with pytest.raises(UsageError, match="run `lakehouse run` first"):
        shown.page("executive", {})
    empty = {"segment": pa.array([], pa.string()), "spend_band": pa.array([], pa.string())}
    empty |= {"person_key": pa.array([], pa.string()), "monetary": pa.array([], pa.decimal128(18, 2))}
    write_table(tmp_path / "warehouse", "gold.customer_segments", pa.table(empty))
    html = shown.page("customer_segments", {})
    assert exact(html, "People") == "0" and ">none</data>" in tile(html, "Spent")
    assert "there are no rows" in tile(html, "People by segment")
    assert "There is no table gold.fct_revenue" in tile(shown.page("executive", {}), "Revenue")


def test_what_a_run_writes_is_shown_at_once(tmp_path: Path, project: "Manifest") -> None:
    shown = make_dashboard(tmp_path, project)
    for people in (1, 2, 3):
        rows = {"segment": ["Loyal"] * people, "person_key": list("abc")[:people]}
        rows |= {"spend_band": ["top"] * people, "monetary": [Decimal("1.50")] * people}
        write_table(tmp_path / "warehouse", "gold.customer_segments", pa.table(rows))
        for _ in range(2):
            html = shown.page("customer_segments", {})
            assert exact(html, "People") == str(people)
            assert exact(html, "Spent") == f"{people * Decimal('1.50')}"


def test_a_band_is_what_the_check_takes_for_usual(tmp_path: Path, project: "Manifest") -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(100)]
    amounts = [Decimal(1000 + number % 7 * 10) for number in range(99)] + [Decimal(100)]
    rows = {"date_day": days, "channel": ["crm"] * 100, "amount_usd": pa.array(amounts, pa.decimal128(18, 2))}
    rows |= {"orders": [50] * 100, "is_complete": [True] * 100}
    write_table(tmp_path / "warehouse", "gold.revenue_daily", pa.table(rows))
    band = tile(make_dashboard(tmp_path, project).page("daily_revenue", {}), "Revenue by day")
    assert f"unusual: {days[-1]} (100)." in band and band.count(">unusual<") == 1
    assert "not known yet" in band
