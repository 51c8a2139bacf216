"""Queries of metrics that are not in the project, and what has none."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lakehouse.semantics.gold import read_gold
from lakehouse.semantics.metrics import Derived, Metrics, Ratio, read_metrics
from lakehouse.semantics.queries import queries

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.fixture(scope="module")
def metrics(project: "Manifest") -> Metrics:
    return read_metrics(project, read_gold(project))


def test_a_formula_is_over_formulas_to_any_depth(project: "Manifest", metrics: Metrics) -> None:
    kept = replace(
        metrics.known["return_rate"],
        name="kept",
        formula=Derived("1 - back", {"back": "return_rate"}),
    )
    found = queries(read_gold(project), Metrics(metrics.known | {"kept": kept}, {})).known
    rate = found["return_rate"].value
    assert rate == f"cast(({found['returns'].value}) as double) / nullif(({found['gross_sales'].value}), 0)"
    assert found["kept"].value.lower() == f"1 - ({rate})".lower()
    assert found["returns"].is_additive and not found["kept"].is_additive


def test_a_metric_of_two_tables_or_without_a_day_has_none(project: "Manifest", metrics: Metrics) -> None:
    gold = read_gold(project)
    mixed = replace(metrics.known["conversion"], name="mixed", formula=Ratio("revenue", "sessions"))
    sessions = replace(gold.subjects["sessions"], time=None)
    found = queries(
        replace(gold, subjects=gold.subjects | {"sessions": sessions}),
        Metrics(metrics.known | {"mixed": mixed}, {}),
    )
    assert found.refused["mixed"] == "its metrics are of several tables: revenue, sessions"
    assert found.refused["visitors"] == "sessions has no day to count by (agg_time_dimension)"
    assert found.known.keys() | found.refused.keys() == metrics.known.keys() | {"mixed"}
