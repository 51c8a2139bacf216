"""Every page in a real browser: light, dark and on a phone; and what is live."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from playwright.sync_api import Browser, expect, sync_playwright

from lakehouse.dashboards.pages import Dashboard
from tools.screenshots import CHROMIUM, served

from ..charts.pages import faint_texts, needs_chromium, violations

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(dashboard: Dashboard) -> Iterator[str]:
    with served(dashboard) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_every_page(browser: Browser, address: str, dashboard: Dashboard, scheme: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    fetched: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in dashboard.pages:
        page.goto(f"{address}/{name}")
        charts = page.locator("svg.wide" if width > 400 else "svg.narrow")
        if charts.count():
            expect(charts.first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        if not dashboard.live_seconds(name):
            page.wait_for_load_state("networkidle")
        assert faint_texts(page) == [], name
        assert violations(page) == [], name
        unnamed = page.locator("svg[role=img]:not([aria-label]), [role=region]:not([aria-label])")
        assert unnamed.count() == 0
    page.close()
    assert [url for url in fetched if not url.startswith((address, "data:"))] == []
    assert complaints == []


def test_tooltips_come_with_the_script(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/customer_segments")
    bar = page.locator("svg.wide .mark-rect path").first
    page.wait_for_function("!!window.vegaEmbed")
    expect(page.locator("div.chart svg.wide[role=img]").first).to_be_visible()
    bar.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("Segment")
    page.close()


def test_a_brush_adds_up_what_it_is_dragged_over(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/sales")
    tile = page.get_by_role("region", name="CRM sales by month")
    note = tile.get_by_role("status")
    expect(note).to_have_text("Drag over the chart to add up a part of it.")
    tile.scroll_into_view_if_needed()
    plot = tile.locator("svg.wide .background").first.bounding_box()
    assert plot
    page.mouse.move(plot["x"] + 1, plot["y"] + plot["height"] / 2)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] + 50, plot["y"] + 5, steps=5)
    page.mouse.up()
    expect(note).to_contain_text("in all.")
    tile.locator("summary").click()
    numbers = tile.locator("td.number").all_text_contents()
    whole = sum(float(number.replace(",", "")) for number in numbers if number)
    said = float(note.inner_text().rsplit(": ", 1)[1].removesuffix(" in all.").replace(",", ""))
    assert said == pytest.approx(whole, abs=0.01)
    page.close()


def test_a_page_is_whole_without_scripts(browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/customer_segments")
    expect(page.locator("svg.wide").first).to_be_visible()
    page.get_by_role("link", name="<script>alert(1)</script>").first.click()
    expect(page.locator("[aria-current=true]").first).to_have_text("<script>alert(1)</script>")
    page.get_by_text("Numbers").first.click()
    expect(page.locator("details table").first).to_be_visible()
    page.context.close()


def test_the_keyboard_reaches_everything(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/executive")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    reachable = page.locator("a, summary, select, button, [tabindex='0']")
    for _ in range(reachable.count() * 2):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('section:last-of-type .scroll') !== null"):
            break
    else:
        raise AssertionError("The last table cannot be reached.")
    page.close()


def test_a_live_page_shows_what_comes(browser: Browser, address: str, home: Path) -> None:
    page = browser.new_page()
    page.goto(f"{address}/gym_live")
    expect(page.locator("#live")).to_have_text("Live.")
    streams = page.get_by_role("row", name="logins")
    expect(streams).to_contain_text("420")
    table = DeltaTable(home / "warehouse" / "silver.db" / "gym_visits")
    one: pa.Table = table.to_pyarrow_table().slice(0, 1)
    write_deltalake(table, one, mode="append")
    expect(streams).to_contain_text("421", timeout=15_000)
    page.close()
