"""The unmodified dbt-databricks builds the project over its own protocol: the same tables as `local`."""

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import databricks.sql
import pytest
import sqlglot

from lakehouse.engines.dbt import invoke
from lakehouse.settings import load_settings
from lakehouse.steps.verify import difference
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT
from tests.python.lakehouse.conftest import NO_DATA_TESTS, Lakehouse

from .endpoint.warehouse import CATALOG

_TOKEN = "a token"
# A seed, snapshots, tables, and models that insert and merge.
_SOME = ("+dim_product", "source:events+", "stg_inventory__levels")
_LOADED = ("crm", "erp", "events", "inventory")
_DDL = (
    re.compile(r"create or replace table (\S+)", re.I),
    re.compile(r"alter table (\S+) (?!cluster)", re.I),
)
_GOOD = ("success", "pass", "no-op")
_DDL = (
    re.compile(r"create or replace table (\S+)", re.I),
    re.compile(r"alter table (\S+) (?!cluster)", re.I),
)
_GOOD = ("success", "pass", "no-op")
# Read by models, written by loads.
_OF_LOADS = ("loads", "quarantine")


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


def dbt(home: Path, port: int, *arguments: str, token: str = _TOKEN) -> dict[str, str]:
    """Run dbt on the endpoint; the status of each node by name, with the message of one that failed."""
    connect = functools.partial(
        databricks.sql.connect, _connection_uri=f"http://127.0.0.1:{port}/", enable_telemetry=False
    )
    with (
        mock.patch.dict(os.environ),
        mock.patch("databricks.sql.connect", connect),
        # The SDK would ask the host for five minutes how it signs in.
        mock.patch("databricks.sdk.config.get_host_metadata", side_effect=ValueError("none")),
    ):
        settings = load_settings(
            LAKEHOUSE_HOME=str(home),
            DATABRICKS_HOST="localhost",
            DATABRICKS_HTTP_PATH="/sql/1.0/warehouses/local",
            DATABRICKS_TOKEN=token,
            DATABRICKS_CATALOG=CATALOG,
        )
        result = invoke(settings, [*arguments, "--target", "databricks"])
    assert result.exception is None, result.exception
    ran = result.result.results  # type: ignore[union-attr]
    return {r.node.name: str(r.status) if r.status in _GOOD else f"{r.status}: {r.message}" for r in ran}


def link(tables: Mapping[str, str], home: Path, built: Collection[str]) -> None:
    """Have in a home what dbt reads and does not build."""
    for name, location in tables.items():
        schema, table = name.split(".")
        if name not in built and (schema != "ops" or table in _OF_LOADS):
            folder = home / "warehouse" / f"{schema}.db"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / table).symlink_to(location)


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
    built = [name for name in local if name.split(".")[0] in ("silver", "gold", "snapshots")]
    home, log = tmp_path / "databricks", tmp_path / "statements.jsonl"
    link(local, home, built)
    with endpoint(home, log) as port:
        ran = dbt(home, port, "build", *selection, "--exclude-resource-type", "unit_test")
        made = len(statements(log))
        again = dbt(home, port, "build", *selection, "--exclude-resource-type", "unit_test", "test")
    assert {node: status for node, status in (ran | again).items() if status not in _GOOD} == {}
    sent = statements(log)
    assert [statement for statement in sent if statement["error"]] == []
    assert unreadable(sent) == []
    # Of tables that grow, nothing is altered again.
    later = [entry["statement"] for entry in sent[made:]]
    anew, altered = ({match[1] for match in map(ddl.match, later) if match} for ddl in _DDL)
    assert altered <= anew
    there = Warehouse(home / "warehouse").tables()
    assert {name: difference(local[name], there[name]) for name in built} == dict.fromkeys(built)
