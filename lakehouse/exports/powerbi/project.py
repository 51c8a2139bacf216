"""Gold as a project of Power BI: a star of tables and relationships, measures, and the pages of a report."""

import json
from collections.abc import Iterable

from sqlglot import exp, parse_one

from lakehouse.exports.powerbi import dax
from lakehouse.exports.powerbi.power_query import Source, expressions
from lakehouse.exports.powerbi.report import Field, report
from lakehouse.exports.powerbi.star import days, relationships
from lakehouse.exports.powerbi.tables import measure_node, metrics_node, table_node
from lakehouse.exports.powerbi.tmdl import Node, document, name_of
from lakehouse.semantics.gold import Gold, Reference, Table
from lakehouse.semantics.metrics import Aggregate, Metrics, NoEqual

NAME = "Lakehouse"
# Folders whose files are those of the export, and no others.
OWNED = (f"{NAME}.SemanticModel/definition", f"{NAME}.Report/definition")

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"


def project(gold: Gold, metrics: Metrics, source: Source) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of all files by path, and why metrics are refused, by name.

    Raises:
        LakehouseError: a page of the report names what is not in the model.
    """
    measures, metrics = _measures(gold, metrics)
    star = relationships(gold)
    tables = [_table(table, star, gold, metrics) for table in gold.tables.values()]
    tables.append(metrics_node(measures))
    model = f"{NAME}.SemanticModel"
    files = {
        f"{NAME}.pbip": _json(
            "pbip/pbipProperties/1.0.0",
            version="1.0",
            artifacts=[{"report": {"path": f"{NAME}.Report"}}],
            settings={"enableAutoRecovery": True},
        ),
        f"{model}/definition.pbism": _json(
            "item/semanticModel/definitionProperties/1.0.0", version="4.2", settings={}
        ),
        f"{model}/definition/database.tmdl": document(
            Node("database", properties=(("compatibilityLevel", "1702"),))
        ),
        f"{model}/definition/model.tmdl": document(*_model(tables)),
        f"{model}/definition/expressions.tmdl": document(*expressions(source)),
        f"{model}/definition/relationships.tmdl": document(*(_relationship(r, on) for r, on in star.items())),
        f"{NAME}.Report/definition.pbir": _json(
            "item/report/definitionProperties/2.0.0",
            version="4.0",
            datasetReference={"byPath": {"path": f"../{model}"}},
        ),
    }
    files |= {f"{model}/definition/tables/{table.name}.tmdl": document(table) for table in tables}
    fields = {
        Field(node.name, child.name, child.kind == "measure")
        for node in tables
        for child in node.children
        if child.kind in ("column", "measure")
    }
    labels = {metric.name: metric.label for metric in metrics.known.values()}
    pages = report(fields, labels, metrics.refused)
    return files | {f"{NAME}.Report/definition/{path}": text for path, text in pages.items()}, metrics.refused


def _json(schema: str, **content: object) -> str:
    return json.dumps({"$schema": f"{_SCHEMAS}/{schema}/schema.json", **content}, indent=2) + "\n"


def _measures(gold: Gold, metrics: Metrics) -> tuple[list[Node], Metrics]:
    """All measures, and the metrics that they are."""
    labels = {metric.name: metric.label for metric in metrics.known.values()}
    refused, formulas = _same_labels(metrics), {}
    for metric in metrics.known.values():
        try:
            formulas[metric.name] = dax.measure(metric, gold, labels)
        except NoEqual as reason:
            refused[metric.name] = str(reason)
    known = metrics.without(refused)
    ordered = sorted(known.known.values(), key=lambda metric: metric.label)
    return [measure_node(metric, formulas[metric.name]) for metric in ordered], known


def _same_labels(metrics: Metrics) -> dict[str, str]:
    """Names of metrics whose label another one has: a measure is known by it, whatever its case."""
    first: dict[str, str] = {}
    for metric in metrics.known.values():
        first.setdefault(metric.label.lower(), metric.name)
    return {
        metric.name: f"{first[metric.label.lower()]} has its label, too"
        for metric in metrics.known.values()
        if first[metric.label.lower()] != metric.name
    }


def _table(table: Table, star: Iterable[Reference], gold: Gold, metrics: Metrics) -> Node:
    joined = {reference.column for reference in star if reference.table == table.name}
    added = {name: column for name, column in days(gold, table.name).items() if name not in table.columns}
    needed = joined | _columns_counted(table, gold, metrics) | set(added.values())
    return table_node(table, joined, needed, added)


def _columns_counted(table: Table, gold: Gold, metrics: Metrics) -> set[str]:
    rows = [
        metric.formula.row
        for metric in metrics.known.values()
        if isinstance(metric.formula, Aggregate) and gold.subjects[metric.formula.subject].table == table.name
    ]
    return {
        column.name for row in rows for column in parse_one(row, dialect="databricks").find_all(exp.Column)
    }


def _relationship(reference: Reference, active: bool) -> Node:
    ends = (
        ("fromColumn", name_of(reference.table, reference.column)),
        ("toColumn", name_of(reference.to_table, reference.to_column)),
    )
    state = () if active else (("isActive", "false"),)
    return Node("relationship", f"{reference.table}_{reference.column}", properties=(*state, *ends))


def _model(tables: list[Node]) -> list[Node]:
    settings = (("culture", "en-US"), ("defaultPowerBIDataSourceVersion", "powerBI_V3"))
    # There is a calendar; Power BI would add one of its own to each date.
    no_calendars = Node("annotation", "__PBI_TimeIntelligenceEnabled", "0")
    return [
        Node("model", "Model", properties=settings),
        no_calendars,
        *(Node("ref table", table.name) for table in tables),
    ]
