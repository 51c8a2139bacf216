"""Metrics become formulas, or are refused with the reason."""

import contextlib
import os
import shutil
from unittest import mock

import pytest
import yaml

from lakehouse.engines.dbt import read_project
from lakehouse.semantics.gold import read_gold
from lakehouse.semantics.metrics import Aggregate, Derived, Metrics, Ratio, read_metrics
from lakehouse.settings import load_settings
from tests.python import PROJECT

_MODELS = {
    "models": [
        {
            "name": "sales",
            "config": {"schema": "gold"},
            "columns": [
                {"name": name, "data_type": "string", "description": name}
                for name in ("id", "day", "country")
            ],
        }
    ],
    "semantic_models": [
        {
            "name": "sales",
            "model": "ref('sales')",
            "defaults": {"agg_time_dimension": "sold_on"},
            "entities": [{"name": "sale", "type": "primary", "expr": "id"}],
            "dimensions": [
                {
                    "name": "sold_on",
                    "type": "time",
                    "expr": "cast(day as date)",
                    "type_params": {"time_granularity": "day"},
                },
                {"name": "country", "type": "categorical"},
            ],
            "measures": [
                {"name": "amount", "agg": "sum"},
                {"name": "middle", "agg": "median", "expr": "amount"},
                {
                    "name": "stock",
                    "agg": "sum",
                    "non_additive_dimension": {"name": "sold_on", "window_choice": "max"},
                },
            ],
        }
    ],
}
_DAYS = {
    "name": "days",
    "time_spine": {"standard_granularity_column": "day"},
    "columns": [{"name": "day", "granularity": "day"}],
}


def _metric(
    name: str, type: str = "simple", filter: str | None = None, **parameters: object
) -> dict[str, object]:
    return {"name": name, "label": name, "type": type, "type_params": parameters, "filter": filter}


_IN_UK = "{{ Dimension('sale__country') }} = 'UK'"
_METRICS = [
    _metric("amount", measure="amount"),
    _metric("in_uk", measure="amount", filter=_IN_UK),
    _metric(
        "lately",
        measure={"name": "amount", "filter": "{{ TimeDimension('sale__sold_on', 'day') }} > '2026-01-01'"},
    ),
    _metric("share", "ratio", numerator="in_uk", denominator="amount"),
    _metric(
        "rest",
        "derived",
        expr="whole - in_uk",
        metrics=[{"name": "amount", "alias": "whole"}, {"name": "in_uk"}],
    ),
    _metric("middle", measure="middle"),
    _metric("stock", measure="stock"),
    _metric(
        "by_month", measure="amount", filter="{{ TimeDimension('sale__sold_on', 'month') }} > '2026-01-01'"
    ),
    _metric("filled", measure={"name": "amount", "fill_nulls_with": 0}),
    _metric("so_far", "cumulative", measure="amount"),
    _metric("filtered_share", "ratio", numerator={"name": "amount", "filter": _IN_UK}, denominator="amount"),
    _metric(
        "growth",
        "derived",
        expr="amount - before",
        metrics=[{"name": "amount"}, {"name": "amount", "offset_window": "1 month", "alias": "before"}],
    ),
    _metric("middle_share", "ratio", numerator="middle", denominator="amount"),
]


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    """The metrics above, in a project of one table."""
    project, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    shutil.copyfile(PROJECT / "profiles.yml", project / "profiles.yml")
    files = {
        "dbt_project.yml": yaml.safe_dump({"name": "one_table", "profile": "lakehouse"}),
        "models/days.sql": "select date '2026-01-01' as day",
        "models/days.yml": yaml.safe_dump({"models": [_DAYS]}),
        "models/gold/sales.sql": "select 1 as id, '2026-01-01' as day, 'UK' as country, 1 as amount",
        "models/gold/sales.yml": yaml.safe_dump(_MODELS | {"metrics": _METRICS}),
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    with mock.patch.dict(os.environ), contextlib.chdir(project):
        manifest = read_project(
            load_settings(LAKEHOUSE_PROJECT=str(project), LAKEHOUSE_HOME=str(home)), "local"
        )
    return read_metrics(manifest, read_gold(manifest))


def test_metrics_become_formulas(metrics: Metrics) -> None:
    formulas = {name: metric.formula for name, metric in metrics.known.items()}
    assert formulas == {
        "amount": Aggregate("sales", "sum", "amount"),
        "in_uk": Aggregate("sales", "sum", "case when ((country) = 'UK') then amount end"),
        "lately": Aggregate("sales", "sum", "case when ((cast(day as date)) > '2026-01-01') then amount end"),
        "share": Ratio("in_uk", "amount"),
        "rest": Derived("whole - in_uk", {"whole": "amount", "in_uk": "in_uk"}),
    }
    # A metric comes after those it needs.
    assert list(formulas)[-2:] == ["rest", "share"]


def test_metrics_without_a_formula_are_refused_with_the_reason(metrics: Metrics) -> None:
    assert metrics.refused == {
        "by_month": "its filter asks for sale__sold_on by month, not of sales",
        "filled": "it fills days without rows",
        "filtered_share": "it filters other metrics: declare the filtered ones as metrics of their own",
        "growth": "it looks back by an offset of time",
        "middle": "the aggregate median of its measure middle differs by program",
        "middle_share": "it needs middle",
        "so_far": "metrics of type cumulative are known to dbt alone",
        "stock": "its measure stock is not added up over sold_on",
    }
