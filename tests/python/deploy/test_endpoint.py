"""The unmodified dbt-databricks builds the project over its own protocol: the same tables as `local`."""

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import databricks.sql
import pytest
import sqlglot

from lakehouse.dashboards.pages import Dashboard
from lakehouse.dashboards.sql_warehouse import WarehouseAnswers
from lakehouse.engines.dbt import read_project
from lakehouse.settings import Settings, load_settings
from lakehouse.steps.verify import built_by_dbt, difference, link_read
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT
from tests.python.lakehouse.conftest import NO_DATA_TESTS, Lakehouse

from .endpoint.warehouse import CATALOG
from .runs import connected_by, failures

_TOKEN = "a token"
# A seed, snapshots, tables, and models that insert and merge.
_SOME = ("+dim_product", "source:events+", "stg_inventory__levels")
_LOADED = ("crm", "erp", "events", "inventory")
_DDL = (
    re.compile(r"create or replace table (\S+)", re.I),
    re.compile(r"alter table (\S+) (?!cluster)", re.I),
)


@contextmanager
def endpoint(home: Path, log: Path) -> Iterator[int]:
    """The port of a warehouse over the tables of a home."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.python.deploy.endpoint", home, _TOKEN, log],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(60)


def _connect_to(port: int) -> Callable[..., Any]:
    address = f"http://127.0.0.1:{port}/"
    return functools.partial(databricks.sql.connect, _connection_uri=address, enable_telemetry=False)


def _settings(home: Path) -> Settings:
    return load_settings(
        LAKEHOUSE_HOME=str(home),
        DATABRICKS_HOST="localhost",
        DATABRICKS_HTTP_PATH="/sql/1.0/warehouses/local",
        DATABRICKS_TOKEN=_TOKEN,
        DATABRICKS_CATALOG=CATALOG,
    )


def dbt(home: Path, port: int, *arguments: str) -> dict[str, str]:
    """Run dbt on the endpoint; what became of each node that failed, by name."""
    return failures(_settings(home), _connect_to(port), *arguments, "--target", "databricks")


def shown(dashboard: Dashboard) -> dict[tuple[str, str], str]:
    """What the tiles of all pages show, by page and title."""
    return {
        (name, tile.title): html
        for name, declared in dashboard.pages.items()
        for tile, html in zip(declared.page.tiles, dashboard.tiles(name, {}), strict=True)
    }


def statements(log: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def unreadable(sent: Sequence[dict[str, str]]) -> list[str]:
    """Statements that sqlglot's dialect of Databricks does not have."""
    found = []
    for statement in {entry["statement"] for entry in sent if entry["by"] == "spark"}:
        try:
            sqlglot.parse_one(statement, dialect="databricks")
        except sqlglot.ParseError:
            found.append(statement)
    return found


@pytest.mark.spark
@pytest.mark.parametrize("selected", [_SOME, pytest.param((), marks=pytest.mark.soak)], ids=["some", "all"])
def test_two_builds_give_the_tables_of_local(tmp_path: Path, selected: tuple[str, ...]) -> None:
    # Tests that read what is not selected are left out.
    selection = ["--select", *selected, "--indirect-selection", "buildable"] if selected else []
    lakehouse = Lakehouse(tmp_path, NO_DATA_TESTS, sources=_LOADED if selected else (), scale=0.02)
    lakehouse.deliver(1)
    lakehouse.run("load", *(f"--source={source}" for source in lakehouse.sources))
    lakehouse.run("build", *selection)
    local = lakehouse.warehouse.tables()
    built = sorted(built_by_dbt(load_settings(LAKEHOUSE_HOME=str(lakehouse.home))) & local.keys())
    home, log = tmp_path / "databricks", tmp_path / "statements.jsonl"
    link_read(local, home / "warehouse", built)
    with endpoint(home, log) as port:
        assert dbt(home, port, "build", *selection, "--exclude-resource-type", "unit_test") == {}
        made = len(statements(log))
        assert dbt(home, port, "build", *selection, "--exclude-resource-type", "unit_test", "test") == {}
        sent = statements(log)
        assert [statement for statement in sent if statement["error"]] == []
        _pages_show_the_same(lakehouse, _settings(home), port, whole=not selected)
    assert unreadable(statements(log)) == []
    # Of tables that grow, nothing is altered again.
    later = [entry["statement"] for entry in sent[made:]]
    anew, altered = ({match[1] for match in map(ddl.match, later) if match} for ddl in _DDL)
    assert altered <= anew
    there = Warehouse(home / "warehouse").tables()
    assert {name: difference(local[name], there[name]) for name in built} == dict.fromkeys(built)


def _pages_show_the_same(lakehouse: Lakehouse, settings: Settings, port: int, whole: bool) -> None:
    """As the app of Databricks shows them; what `ops` says of builds is another."""
    with connected_by(_connect_to(port)), mock.patch("lakehouse.dashboards.sql_warehouse.check_answers"):
        manifest = read_project(settings, "databricks")
        there = shown(Dashboard(settings, manifest, WarehouseAnswers(settings, manifest)))
    here = shown(Dashboard(load_settings(LAKEHOUSE_HOME=str(lakehouse.home)), manifest))
    failed = {place for place, html in (here | there).items() if 'class="failed"' in html}
    other = {place for place in here if place not in failed and here[place] != there[place]}
    assert other <= {("data_health", "Builds"), ("data_health", "Failed tests")}
    events = ("app_events", "Events of the app by day")
    assert "<svg" in there[events]
    if whole:
        assert len(failed) < 12, failed
    else:
        assert "cannot be found" in there["executive", "Revenue"]
