"""The docs site, in a real browser."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from .conftest import Lakehouse

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_site_shows_columns_and_lineage(built: Lakehouse, tmp_path: Path) -> None:
    command = ["dbt", "docs", "generate", "--target", "sail", "--static", "--target-path", str(tmp_path)]
    built.run(*command)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        site = (tmp_path / "static_index.html").as_uri()
        _check_columns(page, site)
        _check_lineage(page, site)
        browser.close()


def _check_columns(page: Page, site: str) -> None:
    page.goto(f"{site}#!/model/model.lakehouse.fct_sales")
    expect(page.get_by_text("One row per CRM sales line").first).to_be_visible()
    expect(page.get_by_text("unit_cost").first).to_be_visible()


def _check_lineage(page: Page, site: str) -> None:
    page.goto(f"{site}#!/model/model.lakehouse.fct_sales?g_v=1&g_i=%2Bfct_sales")
    expect(page.locator("canvas").first).to_be_visible()
