"""The docs site, also in a real browser."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tools.screenshots import CHROMIUM

from .charts.pages import needs_chromium
from .conftest import Lakehouse

FACT = "model.lakehouse.fct_sales"


@pytest.fixture(scope="module")
def site(built: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # As `make docs` does.
    options = ["--static", "--vars", "unit_tests: false", "--target-path", str(folder)]
    built.run_apart("dbt", "docs", "generate", *options)
    return folder


def test_the_lineage_has_no_unit_tests(site: Path) -> None:
    manifest = json.loads((site / "manifest.json").read_text())
    names = {name for names in manifest["child_map"].values() for name in names}
    assert FACT in names and not any(name.startswith("unit_test.") for name in names)


def test_every_model_and_column_is_described(site: Path) -> None:
    manifest = json.loads((site / "manifest.json").read_text())
    catalog = json.loads((site / "catalog.json").read_text())
    assert "model.lakehouse.stg_crm__sales" in manifest["parent_map"][FACT]
    models = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "snapshot")]
    assert [m["name"] for m in models if not m["description"].startswith("One row per ")] == []
    for model in models:
        if model["config"]["materialized"] == "ephemeral":
            continue
        columns = set(catalog["nodes"][model["unique_id"]]["columns"])
        described = {name for name, column in model["columns"].items() if column["description"]}
        assert columns - described == set(), model["name"]


@needs_chromium
def test_a_browser_shows_columns_and_lineage(site: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{(site / 'static_index.html').as_uri()}#!/model/{FACT}")
        _check_columns(page)
        _check_lineage(page)
        browser.close()


def _check_columns(page: Page) -> None:
    expect(page.get_by_text("One row per sales line of the CRM").first).to_be_visible()
    expect(page.get_by_text("unit_cost", exact=True).first).to_be_visible()
    expect(page.get_by_text("decimal(18,2)").first).to_be_visible()


def _check_lineage(page: Page) -> None:
    graph = page.locator("canvas").first
    expect(graph).not_to_be_visible()
    page.mouse.click(1340, 840)  # the button in the corner has neither name nor role
    expect(graph).to_be_visible()
    expect(page.get_by_text("Lineage Graph")).to_be_visible()
