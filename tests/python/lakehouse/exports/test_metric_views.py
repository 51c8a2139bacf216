"""Metric views name columns that exist, and say of each metric what its YAML says."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sqlglot import exp, parse_one

from lakehouse.exports.metric_views import statements
from lakehouse.semantics.gold import Gold, read_gold
from lakehouse.semantics.metrics import Derived, Metrics, Ratio, read_metrics

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.fixture(scope="module")
def gold(project: "Manifest") -> Gold:
    return read_gold(project)


@pytest.fixture(scope="module")
def metrics(project: "Manifest", gold: Gold) -> Metrics:
    return read_metrics(project, gold)


@pytest.fixture(scope="module")
def views(gold: Gold, metrics: Metrics) -> dict[str, Any]:
    """YAML of the views by name, read back."""
    files, refused = statements(gold, metrics, "lakehouse")
    assert refused == {}
    return {name: _body(text) for name, text in files.items()}


def _body(statement: str) -> Any:
    head, body, end = statement.split("$$")
    assert head.startswith("create or replace view `lakehouse`.`gold`.`") and end == ";\n"
    return yaml.safe_load(body)


def test_every_metric_is_in_one_view(metrics: Metrics, views: dict[str, Any]) -> None:
    measures = [measure["name"] for view in views.values() for measure in view["measures"]]
    assert sorted(measures) == sorted(metrics.known)
    for view in views.values():
        names = [item["name"] for kind in ("dimensions", "measures") for item in view[kind]]
        assert len(names) == len(set(names))


def test_every_column_is_in_a_contract(gold: Gold, views: dict[str, Any]) -> None:
    for name, view in views.items():
        own = gold.tables[view["source"].removeprefix("lakehouse.gold.")].columns
        known = {"": own, "source": own}
        for join in view.get("joins", []):
            catalog, schema, table = join["source"].split(".")
            assert (catalog, gold.tables[table].schema, join["name"]) == ("lakehouse", schema, table)
            known[table] = gold.tables[table].columns
        measures = [measure["name"] for measure in view["measures"]]
        for sql in _expressions(view):
            for column in parse_one(sql, dialect="databricks").find_all(exp.Column):
                if isinstance(column.parent, exp.Anonymous):
                    assert column.parent.name == "measure" and column.name in measures, (name, sql)
                else:
                    assert column.name in known[column.table], (name, sql)


def _expressions(view: dict[str, Any]) -> list[str]:
    items = [item["expr"] for kind in ("dimensions", "measures") for item in view[kind]]
    return [*items, *(join["on"] for join in view.get("joins", []))]


def test_personal_columns_are_no_dimensions(gold: Gold, views: dict[str, Any]) -> None:
    for view in views.values():
        for dimension in view["dimensions"]:
            table, _, column = dimension["expr"].rpartition(".")
            if table:
                assert not gold.tables[table].columns[column].personal, dimension


def test_what_is_derived_names_measures(gold: Gold, metrics: Metrics) -> None:
    formula = Derived("(g - r) / g", {"g": "gross_sales", "r": "returns"})
    kept = replace(metrics.known["return_rate"], name="kept_rate", formula=formula)
    files, _ = statements(gold, Metrics(metrics.known | {"kept_rate": kept}, {}), "lakehouse")
    measures = {measure["name"]: measure for measure in _body(files["revenue_metrics.sql"])["measures"]}
    assert measures["kept_rate"]["expr"] == "(measure(gross_sales) - measure(returns)) / measure(gross_sales)"


def test_a_metric_of_several_tables_is_refused_with_what_needs_it(gold: Gold, metrics: Metrics) -> None:
    mixed = replace(metrics.known["conversion"], name="mixed", formula=Ratio("revenue", "sessions"))
    above = replace(mixed, name="above", formula=Ratio("mixed", "sessions"))
    files, refused = statements(
        gold, Metrics(metrics.known | {"mixed": mixed, "above": above}, {}), "lakehouse"
    )
    reason = "its metrics are of several tables: revenue, sessions"
    assert refused == {"above": reason, "mixed": reason}
    assert files == statements(gold, metrics, "lakehouse")[0]
