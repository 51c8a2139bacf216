"""Pages as they are declared: what is wrong is said with file and line."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.dashboards.check import query_file
from lakehouse.dashboards.declared import read_pages
from lakehouse.errors import UsageError
from lakehouse.reading.query import names_referred_to
from lakehouse.semantics.queries import read_queries
from tests.python import PROJECT

from .conftest import make_dashboard

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PAGE = """title: Page
question: What?
place: 1
filters:
  - {column: channel, model: revenue_daily}
tiles:
  - title: Number
    question: How much?
    mark: number
    metrics: [revenue]
  - title: Table
    question: Which?
    mark: table
    query: dashboards/freshness
    drill: {filter: channel}
"""


def test_the_pages_of_the_project_name_what_is_there(tmp_path: Path, project: "Manifest") -> None:
    pages = make_dashboard(tmp_path, project).pages
    assert next(iter(pages)) == "executive"
    assert len(pages) == len(list((PROJECT / "dashboards").glob("*.yml")))


def test_the_page_in_the_readme_is_right(copied: Path, project: "Manifest") -> None:
    (page,) = re.findall(
        r"```yaml\n# dashboards/returns.yml\n(.*?)```", (PROJECT / "README.md").read_text(), re.S
    )
    (copied / "dashboards" / "returns.yml").write_text(page)
    assert list(make_dashboard(copied, project, copied).pages)[-1] == "returns"


def test_lineage_ends_at_the_pages(tmp_path: Path, project: "Manifest") -> None:
    metrics, read = read_queries(project).known, set()
    for declared in make_dashboard(tmp_path, project).pages.values():
        read |= {narrowed.model for narrowed in declared.page.filters}
        for tile in declared.page.tiles:
            read |= {metrics[name].table.split(".")[1] for name in tile.metrics}
            query = tile.query or f"checks/{tile.check}"
            read |= set() if tile.metrics else set(names_referred_to(query_file(PROJECT, query).read_text()))
    shown = {
        project.nodes[unique_id].name
        for exposure in project.exposures.values()
        if exposure.name.startswith("dashboard_")
        for unique_id in exposure.depends_on_nodes
    }
    assert shown == read


@pytest.mark.parametrize(
    ("right", "wrong", "line", "says"),
    [
        ("[revenue]", "[revenu]", 10, "there is no metric revenu. Did you mean revenue?"),
        ("[revenue]", "[]", 7, "give either metrics, a query or a check"),
        ("mark: number", "mark: gauge", 9, "'number', 'line'"),
        ("mark: number", "mark: line", 7, "a line of a metric needs a grain"),
        ("[revenue]", "[revenue]\n    by: [colour]", 7, "a number of metrics has 0 columns"),
        ("mark: number\n", "mark: bar\n    by: [colour]\n", 10, "no dimension of revenue colour"),
        ("[revenue]", "[revenue]\n    colour: red", 11, "Extra inputs are not permitted"),
        ("[revenue]", "[revenue, sessions]\n    by: [channel]", 7, "only a table shows several metrics"),
        (
            "model: revenue_daily",
            "model: revenue_dayly",
            5,
            "no model revenue_dayly. Did you mean revenue_daily?",
        ),
        ("column: channel", "column: chanel", 5, "no column of revenue_daily chanel. Did you mean channel?"),
        ("dashboards/freshness", "dashboards/fresh", 14, "fresh.sql"),
        ("{filter: channel}", "{filter: colour}", 15, "there is no filter of that page colour"),
        ("{filter: channel}", "{page: else, filter: channel}", 15, "there is no page else"),
        (
            "mark: table\n",
            "mark: bar\n    x: source\n    y: cost\n",
            15,
            "no column of dashboards/freshness cost",
        ),
        (
            "mark: table\n",
            "mark: table\n    labels: {cost: Cost}\n",
            14,
            "no column of dashboards/freshness cost",
        ),
        ("place: 1\n", "", 1, "place: Field required"),
        ("title: Table", "title: Number", 1, "two tiles are called 'Number'"),
        ("place: 1", "place: [", 0, "is no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    copied: Path, project: "Manifest", right: str, wrong: str, line: int, says: str
) -> None:
    for file in (copied / "dashboards").glob("*.yml"):
        file.unlink()
    file = copied / "dashboards" / "page.yml"
    assert right in PAGE
    file.write_text(PAGE.replace(right, wrong, 1))
    with pytest.raises(UsageError) as error:
        make_dashboard(copied, project, copied)
    assert says in str(error.value)
    assert str(error.value).startswith(f"{file}:{line}: " if line else f"{file} ")


def test_a_metric_that_no_query_has_is_refused_with_the_reason(copied: Path, project: "Manifest") -> None:
    metrics = dict(project.metrics)
    (revenue,) = [key for key, metric in metrics.items() if metric.name == "revenue"]
    parts = replace(
        metrics[revenue].type_params, measure=replace(metrics[revenue].type_params.measure, fill_nulls_with=0)
    )
    metrics[revenue] = replace(metrics[revenue], type_params=parts)
    with pytest.raises(
        UsageError, match=r"yml:\d+: metric revenue cannot be shown: it fills days without rows"
    ):
        make_dashboard(copied, replace(project, metrics=metrics), copied)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select channle as source from {{ ref('revenue_daily') }}", "channle"),
        ("select 1 as source from {{ ref('revenue_dayly') }}", "Did you mean revenue_daily?"),
        ("select from where", "Expected"),
    ],
)
def test_a_query_reads_what_is_there(copied: Path, project: "Manifest", sql: str, says: str) -> None:
    (copied / "analyses" / "dashboards" / "freshness.sql").write_text(sql)
    with pytest.raises(UsageError) as error:
        make_dashboard(copied, project, copied)
    assert says in str(error.value) and "executive.yml:" in str(error.value)


def test_without_a_page_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no page: write one"):
        read_pages(tmp_path)
