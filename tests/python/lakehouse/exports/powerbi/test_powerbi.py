"""The project of Power BI names nothing that is not there, and can be read back."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from lakehouse.errors import LakehouseError
from lakehouse.exports.powerbi import project as powerbi
from lakehouse.exports.powerbi import report
from lakehouse.exports.powerbi.power_query import Source
from lakehouse.exports.powerbi.report import Page
from lakehouse.exports.powerbi.star import relationships
from lakehouse.exports.powerbi.tables import METRICS
from lakehouse.exports.powerbi.tmdl import Node, document
from lakehouse.semantics.gold import Gold, Reference, read_gold
from lakehouse.semantics.metrics import Aggregate, Metrics, read_metrics

from .tmdl_reader import columns, read

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_MODEL, _REPORT = (f"{powerbi.NAME}.{part}/definition" for part in ("SemanticModel", "Report"))
_SOURCE = Source(warehouse='C:\\it\'s "here"', host="", http_path="", catalog="lakehouse")


@pytest.fixture(scope="module")
def gold(project: "Manifest") -> Gold:
    return read_gold(project)


@pytest.fixture(scope="module")
def metrics(project: "Manifest", gold: Gold) -> Metrics:
    return read_metrics(project, gold)


@pytest.fixture(scope="module")
def files(gold: Gold, metrics: Metrics) -> dict[str, str]:
    written, refused = powerbi.project(gold, metrics, _SOURCE)
    assert refused == {}
    return written


@pytest.fixture(scope="module")
def tables(files: dict[str, str]) -> dict[str, Node]:
    """Tables by name, read back."""
    found = [read(text) for path, text in files.items() if path.startswith(f"{_MODEL}/tables/")]
    assert all(len(nodes) == 1 for nodes in found)
    return {node.name: node for (node,) in found}


def test_every_object_is_read_back_as_it_was() -> None:
    odd = Node(
        "table",
        'It\'s "odd" = :',
        description="Says /// and : and =.",
        properties=(("dataCategory", "Time"), ("isHidden", ""), ("note", ' "quoted" ')),
        children=(
            Node("measure", "a b", "SUM('x'[y]) = 1", "One line.", (("formatString", r"\$#,##0.00"),)),
            Node("measure", "lines", "VAR x = 1\n\tRETURN\n\t\tx", properties=(("formatString", "0"),)),
            Node(
                "partition",
                "p",
                "m",
                properties=(("mode", "import"), ("source", "let\n    a = 1\nin\n    a")),
            ),
        ),
    )
    nodes = [odd, Node("annotation", "x", "0"), Node("ref table", 'It\'s "odd" = :')]
    assert read(document(*nodes)) == nodes


def test_all_files_are_read_back_as_they_were(files: dict[str, str]) -> None:
    texts = [text for path, text in files.items() if path.endswith(".tmdl")]
    assert len(texts) > 30
    assert [document(*read(text)) for text in texts] == texts


def test_every_table_and_column_is_in_a_contract(gold: Gold, tables: dict[str, Node]) -> None:
    assert tables.keys() == gold.tables.keys() | {METRICS}
    made = {("fct_revenue", "occurred_on"), ("fct_shipments", "shipped_on")}
    for name, table in gold.tables.items():
        for column, properties in columns(tables[name]).items():
            assert properties["sourceColumn"] == column
            assert column in table.columns or (name, column) in made, (name, column)
        missing = table.columns.keys() - columns(tables[name]).keys()
        assert all(table.columns[column].personal for column in missing), name
        assert (tables[name].description, bool(columns(tables[name]))) == (table.description, True)


def test_a_table_reads_the_columns_it_shows(tables: dict[str, Node]) -> None:
    for name, node in tables.items():
        if name != METRICS:
            (source,) = (
                dict(child.properties)["source"] for child in node.children if child.kind == "partition"
            )
            selected = re.findall(r'"([^"]*)"', source.split("\n")[1])[2:]
            added = re.findall(r'Table.AddColumn\(\w+, "(\w+)"', source)
            typed = re.findall(r'\{"(\w+)", (?:type \w+|[\w.]+\.Type)\}', source)
            assert [*selected, *added] == list(columns(node)), name
            assert typed == selected, name


def test_personal_columns_are_shown_to_nobody(gold: Gold, tables: dict[str, Node]) -> None:
    personal = {
        (table.name, column.name)
        for table in gold.tables.values()
        for column in table.columns.values()
        if column.personal
    }
    kept = {
        (name, column): properties
        for name, node in tables.items()
        for column, properties in columns(node).items()
        if (name, column) in personal
    }
    # What visitors are counted by.
    assert kept.keys() == {("fct_sessions", "user_key")}
    assert all("isHidden" in properties for properties in kept.values())


def test_relationships_lead_from_columns_to_keys(
    gold: Gold, files: dict[str, str], tables: dict[str, Node]
) -> None:
    active: set[tuple[str, str]] = set()
    references = set()
    for node in read(files[f"{_MODEL}/relationships.tmdl"]):
        ends = dict(node.properties)
        (table, column), (to_table, to_column) = (ends[end].split(".") for end in ("fromColumn", "toColumn"))
        kinds = {columns(tables[t])[c]["dataType"] for t, c in ((table, column), (to_table, to_column))}
        assert len(kinds) == 1, node.name
        assert "isHidden" in columns(tables[table])[column]
        references.add(Reference(table, column, to_table, to_column))
        if ends.get("isActive") != "false":
            assert (table, to_table) not in active, node.name
            active.add((table, to_table))
    assert references >= set(gold.references)
    # By the day that the metric is counted by, and not by the day of the shop.
    inactive = {(r.table, r.column) for r, followed in relationships(gold).items() if not followed}
    assert inactive == {("fct_revenue", "local_date")}


def test_a_second_way_between_tables_is_not_followed(gold: Gold) -> None:
    """Orders lead to persons by customers; a key of their own would be another way."""
    second = Reference("fct_orders", "person_key", "dim_person", "person_key")
    star = relationships(Gold(gold.tables, (*gold.references, second), {}))
    assert [reference for reference, followed in star.items() if not followed] == [second]


def test_a_type_that_power_bi_has_not_is_refused(gold: Gold, metrics: Metrics) -> None:
    sales = gold.tables["fct_sales"]
    odd = replace(sales.columns["price"], name="odd", type="array<int>")
    changed = replace(sales, columns=sales.columns | {"odd": odd})
    with pytest.raises(
        LakehouseError, match=r"gold\.fct_sales: Power BI has no type for odd, which is array"
    ):
        powerbi.project(replace(gold, tables=gold.tables | {"fct_sales": changed}), metrics, _SOURCE)


def test_the_calendar_is_marked(tables: dict[str, Node]) -> None:
    marked = {name for name, node in tables.items() if ("dataCategory", "Time") in node.properties}
    keys = {
        (name, column) for name, node in tables.items() for column, p in columns(node).items() if "isKey" in p
    }
    assert (marked, keys) == ({"dim_date"}, {("dim_date", "date_day")})


def test_every_metric_is_a_measure_of_what_exists(metrics: Metrics, tables: dict[str, Node]) -> None:
    measures = {child.name: child for child in tables[METRICS].children if child.kind == "measure"}
    assert measures.keys() == {metric.label for metric in metrics.known.values()}
    for measure in measures.values():
        for table, column in re.findall(r"'(\w+)'\[(\w+)\]", measure.value):
            assert column in columns(tables[table]), measure
        for other in re.findall(r"(?<!')\[([^\]]+)\]", re.sub(r"'\w+'\[\w+\]", "", measure.value)):
            assert other == "Value" or other in measures, measure


def test_a_metric_that_dax_cannot_say_is_refused_with_what_needs_it(gold: Gold, metrics: Metrics) -> None:
    unsaid = replace(metrics.known["crm_profit"], formula=Aggregate("crm_sales", "sum", "abs(profit)"))
    same = replace(metrics.known["storefront_profit"], label="CRM SALES")
    changed = Metrics(metrics.known | {"crm_profit": unsaid, "storefront_profit": same}, {})
    measures, known = powerbi._measures(gold, changed)
    assert known.refused == {
        "crm_margin": "it needs crm_profit",
        "crm_profit": "DAX has no equal for ABS(profit)",
        "storefront_profit": "crm_sales has its label, too",
    }
    assert {"CRM profit", "CRM margin"}.isdisjoint(measure.name for measure in measures)
    with pytest.raises(LakehouseError, match=r"page Executive shows crm_margin.*because it needs crm_profit"):
        powerbi.project(gold, changed, _SOURCE)


def test_every_visual_shows_what_exists(files: dict[str, str], tables: dict[str, Node]) -> None:
    visuals = [json.loads(text) for path, text in files.items() if path.endswith("visual.json")]
    assert len(visuals) == sum(len(page.cards) + 2 for page in report.PAGES)
    for visual in visuals:
        for projection in _projections(visual):
            ((kind, field),) = projection["field"].items()
            table = tables[field["Expression"]["SourceRef"]["Entity"]]
            assert (kind.lower(), field["Property"]) in {(child.kind, child.name) for child in table.children}


def _projections(visual: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for role in visual["visual"]["query"]["queryState"].values() for p in role["projections"]]


@pytest.mark.parametrize(
    "name", ["unknown", "dim_date.unknown", "unknown.date_day", "dim_customer.last_name"]
)
def test_a_page_of_what_is_not_there_is_refused(
    gold: Gold, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    page = Page("Broken", cards=("revenue",), line=("dim_date.date_day", "revenue"), table=(name,))
    monkeypatch.setattr(report, "PAGES", (page,))
    with pytest.raises(LakehouseError, match=f"The page Broken shows {name}"):
        powerbi.project(gold, metrics, _SOURCE)


def test_the_order_of_the_manifest_does_not_matter(
    project: "Manifest", files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("nodes", "semantic_models", "metrics"):
        monkeypatch.setattr(project, part, dict(reversed(getattr(project, part).items())))
    gold = read_gold(project)
    assert powerbi.project(gold, read_metrics(project, gold), _SOURCE) == (files, {})


@pytest.mark.skipif(
    not os.environ.get("POWERBI_SCHEMAS"), reason="POWERBI_SCHEMAS names no folder of schemas"
)
def test_json_has_the_published_form(files: dict[str, str]) -> None:
    folder = Path(os.environ["POWERBI_SCHEMAS"])
    base = "https://developer.microsoft.com/json-schemas/"
    schemas = {
        base + str(file.relative_to(folder)): json.loads(file.read_text()) for file in folder.rglob("*.json")
    }
    registry: Registry[Any] = Registry().with_resources(
        (uri, Resource.from_contents(schema)) for uri, schema in schemas.items()
    )
    texts = {path: text for path, text in files.items() if text.startswith("{")}
    assert len(texts) > 15
    for path, text in texts.items():
        content = json.loads(text)
        validator = Draft7Validator(schemas[content["$schema"]], registry=registry)
        assert [error.message for error in validator.iter_errors(content)] == [], path
