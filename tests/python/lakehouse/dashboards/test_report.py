"""The pages as one file, for those who are sent it."""

import re
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.cli import main
from lakehouse.dashboards.pages import Dashboard

from ..charts.pages import faint_texts, needs_chromium, opened, violations
from ..conftest import NAMES, write_table


@pytest.fixture(scope="module")
def file(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(dashboard.report(list(dashboard.pages)), encoding="utf-8")
    return file


def test_it_holds_every_page_with_its_numbers(file: Path, dashboard: Dashboard) -> None:
    html = file.read_text(encoding="utf-8")
    of_pages = "".join(dashboard.page(name, {}) for name in dashboard.pages)
    for part in ('<data value="(.*?)"', '<h2 id="title-[0-9]+">(.*?)</h2>', 'role="img" aria-label="(.*?)"'):
        assert re.findall(part, html) == re.findall(part, of_pages)
    ids = re.findall(r'\bid="(.+?)"', html)
    assert len(ids) == len(set(ids))


def test_one_page_alone(dashboard: Dashboard) -> None:
    html = dashboard.report(["inventory"])
    assert html.count('<section class="tile') == len(dashboard.pages["inventory"].page.tiles)
    assert "<nav" not in html


@needs_chromium
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_in_a_browser(file: Path, scheme: str, width: int) -> None:
    with opened(file, scheme, width) as page:
        light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
        assert light == (scheme == "light")
        assert page.get_by_text(NAMES[1]).count() > 0
        assert page.evaluate("document.querySelectorAll('script, a:not([href^=\"#\"])').length") == 0
        for summary in page.get_by_text("Numbers", exact=True).all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert (faint_texts(page), violations(page)) == ([], [])


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(tmp_path, monkeypatch) == 2
    assert "run `lakehouse run` first" in capsys.readouterr().err
    write_table(tmp_path / "warehouse", "gold.profit_cube", pa.table({"year": [2025], "profit": [1]}))
    assert _report(tmp_path, monkeypatch, "--page", "executive") == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ">There is no table gold.fct_revenue.<" in html
    assert _report(tmp_path, monkeypatch, "--page", "execute") == 2
    assert "--page execute: there is no page execute. Did you mean executive?" in capsys.readouterr().err


def _report(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("LAKEHOUSE_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["lakehouse", "report", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)
