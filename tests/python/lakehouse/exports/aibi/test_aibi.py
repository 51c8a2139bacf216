"""Dashboards of AI/BI read what there is, show what the pages show, and stand as the format wants them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
import yaml

from lakehouse.alerts.declared import read_checks
from lakehouse.dashboards.declared import read_pages
from lakehouse.dashboards.parts import any_text
from lakehouse.dashboards.tiles import Sources, draw
from lakehouse.engines.local import sail
from lakehouse.exports.aibi.dashboards import NO_AREA, NO_DRILL, NO_LIVE, NO_OUTLINE
from lakehouse.exports.aibi.datasets import ALL
from lakehouse.exports.export import Export, export
from lakehouse.reading.query import read
from lakehouse.reading.rows import Rows
from lakehouse.semantics.queries import literal, read_queries
from lakehouse.settings import load_settings
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT
from tests.python.lakehouse.conftest import NAMES

if TYPE_CHECKING:
    from dbt.adapters.lakehouse.sail import Sail
    from dbt.contracts.graph.manifest import Manifest

PAGES = {page.name: page for page in read_pages(PROJECT)}
VERSIONS = {"counter": 2, "table": 2, "filter-single-select": 2, "line": 3, "bar": 3, "pivot": 3}
KINDS = {"number": "counter", "band": "line", "heatmap": "pivot"}
Json = dict[str, Any]


def made_of(project: "Manifest", folder: Path = PROJECT) -> Export:
    return export("aibi", project, load_settings(LAKEHOUSE_PROJECT=str(folder)))


@pytest.fixture(scope="module")
def made(project: "Manifest") -> Export:
    return made_of(project)


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator["Sail"]:
    opened = sail(Warehouse(home / "warehouse"))
    yield opened
    opened.close()


def copied(folder: Path) -> Path:
    """Make a copy of what is exported of the project; its folder of pages."""
    for name in ("dashboards", "analyses"):
        shutil.copytree(PROJECT / name, folder / name)
    for name in ("dbt_project.yml", "alerts.yml"):
        shutil.copyfile(PROJECT / name, folder / name)
    return folder / "dashboards"


def dashboard(made: Export, page: str) -> Json:
    content: Json = json.loads(made.files[f"dashboards/{page}.lvdash.json"])
    return content


def widgets(content: Json) -> list[Json]:
    (page,) = content["pages"]
    return [item["widget"] for item in page["layout"]]


def statement(dataset: Json, chosen: str = ALL) -> str:
    sql = "".join(dataset["queryLines"])
    for parameter in dataset.get("parameters", []):
        sql = sql.replace(f":{parameter['keyword']}", literal(chosen))
    return sql


def names_of_fields(value: Any) -> Iterator[str]:
    """All that encodings take from a query."""
    if isinstance(value, dict):
        if "fieldName" in value:
            yield value["fieldName"]
        for inner in value.values():
            yield from names_of_fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_of_fields(inner)


def test_what_is_deployed_is_what_the_command_writes(made: Export) -> None:
    deployed = {f"dashboards/{file.name}" for file in (PROJECT / "deploy" / "dashboards").iterdir()}
    assert deployed == {name for name in made.files if name.startswith("dashboards/")}
    for name, text in made.files.items():
        assert (PROJECT / "deploy" / name).read_text() == text, "run `make dashboards`"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("chosen", [ALL, NAMES[0]])
def test_every_dataset_has_the_columns_that_widgets_name(
    made: Export, home: Path, engine: "Sail", page: str, chosen: str
) -> None:
    content = dashboard(made, page)
    columns = {}
    for dataset in content["datasets"]:
        sql = statement(dataset, chosen)
        sqlglot.parse_one("".join(dataset["queryLines"]), dialect="databricks")
        columns[dataset["name"]] = read(Warehouse(home / "warehouse"), sql, engine=engine).columns
    read_from = set()
    for widget in widgets(content):
        fields = [
            (query["query"]["datasetName"], field)
            for query in widget.get("queries", [])
            for field in query["query"].get("fields", [])
        ]
        for name, field in fields:
            read_from.add(name)
            assert field["name"] in columns[name]
            assert field["expression"] == f"`{field['name']}`"
        drawn = set(names_of_fields(widget.get("spec", {}).get("encodings", {})))
        assert drawn <= {field["name"] for _, field in fields}
    assert read_from == columns.keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_tile_is_a_widget_or_left_out_by_name(made: Export, page: str) -> None:
    shown = {
        (spec["frame"]["title"], spec["widgetType"])
        for widget in widgets(dashboard(made, page))
        if (spec := widget.get("spec"))
    }
    for tile in PAGES[page].page.tiles:
        is_left_out = f"the tile '{tile.title}' on {page}" in made.refused
        assert ((tile.title, KINDS.get(tile.mark, tile.mark)) in shown) != is_left_out, tile.title


def test_what_has_no_equal_is_refused_by_name(made: Export) -> None:
    of_pages = {what: reason for what, reason in made.refused.items() if " on " in what}
    reasons = list(of_pages.values())
    tiles = [tile for page in PAGES.values() for tile in page.page.tiles]
    assert reasons.count(NO_DRILL) == sum(tile.drill is not None for tile in tiles)
    assert reasons.count(NO_OUTLINE) == sum(tile.outline is not None for tile in tiles)
    assert reasons.count(NO_AREA) == sum(tile.mark == "band" for tile in tiles)
    assert reasons.count(NO_LIVE) == sum(page.page.live_seconds is not None for page in PAGES.values())
    alerts = [what for what, reason in of_pages.items() if "ops.alerts" in reason]
    assert alerts == ["the tile 'Alerts' on daily_revenue", "the tile 'Open alerts' on data_health"]


@pytest.mark.parametrize("page", PAGES)
def test_widgets_fill_a_grid_without_overlaps(made: Export, page: str) -> None:
    content = dashboard(made, page)
    (shown,) = content["pages"]
    assert (shown["pageType"], shown["layoutVersion"]) == ("PAGE_TYPE_CANVAS", "GRID_V1")
    taken: set[tuple[int, int]] = set()
    for item in shown["layout"]:
        at = item["position"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["width"])
            for y in range(at["y"], at["y"] + at["height"])
        }
        assert cells and not cells & taken
        assert at["x"] >= 0 and at["x"] + at["width"] <= 12
        taken |= cells
    # Rows have no gap, but those of filters.
    assert {y for _, y in taken} == set(range(max(y for _, y in taken) + 1))


@pytest.mark.parametrize("page", PAGES)
def test_the_form_is_that_of_lakeview(made: Export, page: str) -> None:
    content = dashboard(made, page)
    ids = [dataset["name"] for dataset in content["datasets"]] + [w["name"] for w in widgets(content)]
    assert len(ids) == len(set(ids)) and all(id.isalnum() for id in ids)
    for dataset in content["datasets"]:
        assert all(line.endswith("\n") for line in dataset["queryLines"])
    for widget in widgets(content):
        if "spec" not in widget:
            assert widget["multilineTextboxSpec"]["lines"]
            continue
        spec = widget["spec"]
        assert spec["version"] == VERSIONS[spec["widgetType"]]
        assert spec["frame"]["showTitle"] is True
        if spec["widgetType"] != "filter-single-select":
            (query,) = widget["queries"]
            assert query["name"] == "main_query" and query["query"]["disaggregated"] is True


@pytest.mark.parametrize("page", [name for name, page in PAGES.items() if page.page.filters])
def test_filters_are_bound_to_every_dataset_that_knows_them(made: Export, page: str) -> None:
    content = dashboard(made, page)
    for narrowed in PAGES[page].page.filters:
        known = {
            dataset["name"]
            for dataset in content["datasets"]
            if narrowed.column in [parameter["keyword"] for parameter in dataset.get("parameters", [])]
        }
        (filter_,) = [
            widget
            for widget in widgets(content)
            if widget.get("spec", {}).get("widgetType") == "filter-single-select"
            and widget["spec"]["encodings"]["fields"][0]["fieldName"] == narrowed.column
        ]
        bound = filter_["queries"][1:]
        assert known and {query["query"]["datasetName"] for query in bound} == known
        told = filter_["spec"]["encodings"]["fields"]
        assert [field["queryName"] for field in told] == [query["name"] for query in filter_["queries"]]
        assert all(field["parameterName"] == narrowed.column for field in told[1:])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("chosen", [None, NAMES[0]])
def test_numbers_are_those_of_the_page(
    made: Export, project: "Manifest", home: Path, engine: "Sail", page: str, chosen: str | None
) -> None:
    def ask(sql: str) -> Rows:
        return read(Warehouse(home / "warehouse"), sql, engine=engine)

    columns = [narrowed.column for narrowed in PAGES[page].page.filters] if chosen else []
    sources = Sources(read_queries(project).known, {}, PROJECT, ask, dict.fromkeys(columns, chosen or ""))
    content = dashboard(made, page)
    found = {dataset["name"]: dataset for dataset in content["datasets"]}
    counters = [w for w in widgets(content) if w.get("spec", {}).get("widgetType") == "counter"]
    numbers = [tile for tile in PAGES[page].page.tiles if tile.mark == "number"]
    for tile, widget in zip(numbers, counters, strict=True):
        (query,) = widget["queries"]
        dataset = found[query["query"]["datasetName"]]
        rows = ask(statement(dataset, chosen or ALL))
        value = rows.rows[0][rows.columns.index(widget["spec"]["encodings"]["value"]["fieldName"])]
        assert any_text(value) == draw(tile, sources, None)["exact"], tile.title


def test_texts_that_nobody_wants_stay_texts(project: "Manifest", tmp_path: Path) -> None:
    page = copied(tmp_path) / "app_events.yml"
    declared = yaml.safe_load(page.read_text())
    declared["title"] = NAMES[0]
    for tile, name in zip(declared["tiles"], NAMES, strict=False):
        tile["title"] = tile["question"] = name
    page.write_text(yaml.safe_dump(declared, allow_unicode=True))
    made = made_of(project, tmp_path)
    content = dashboard(made, "app_events")
    titles = [w["spec"]["frame"]["title"] for w in widgets(content) if "spec" in w]
    assert set(NAMES) <= set(titles)
    resources = yaml.safe_load(made.files["resources/dashboards.yml"])["resources"]["dashboards"]
    assert resources["app_events"]["display_name"] == f"${{var.label}} {NAMES[0]}"


def test_a_tile_keeps_its_name_where_others_come_before_it(project: "Manifest", tmp_path: Path) -> None:
    page = copied(tmp_path) / "sales.yml"
    declared = yaml.safe_load(page.read_text())
    before = {w["name"] for w in widgets(dashboard(made_of(project, tmp_path), "sales"))}
    first = {"title": "New", "question": "?", "mark": "number", "metrics": ["crm_sales"]}
    page.write_text(yaml.safe_dump(declared | {"tiles": [first, *declared["tiles"]]}))
    after = {w["name"] for w in widgets(dashboard(made_of(project, tmp_path), "sales"))}
    assert before < after and len(after) == len(before) + 1


def test_alerts_ask_what_checks_ask(made: Export, home: Path, engine: "Sail") -> None:
    alerts = yaml.safe_load(made.files["resources/alerts.yml"])["resources"]["alerts"]
    checks = [check for check in read_checks(PROJECT) if check.kind != "freshness"]
    assert list(alerts) == [check.name for check in checks]
    assert {"extractions", "stock_drops", "revenue"} <= alerts.keys()
    for check in checks:
        alert = alerts[check.name]
        assert check.description in alert["custom_description"]
        sql = alert["query_text"]
        assert "`${var.catalog}`." in sql
        sqlglot.parse_one(sql.replace("${var.catalog}", "main"), dialect="databricks")
        rows = read(Warehouse(home / "warehouse"), sql.replace("`${var.catalog}`.", ""), engine=engine)
        assert rows.columns == ["entity", "value", "message"]
        assert alert["evaluation"]["source"] == {"name": "entity", "aggregation": "COUNT"}
