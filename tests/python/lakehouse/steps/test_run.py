"""The whole pipeline through the command line, on generated files."""

import csv
import json
import os
import signal
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.engines.dbt import invoke
from lakehouse.settings import load_settings
from tests.python import PROJECT

from ..conftest import NO_DATA_TESTS, Lakehouse, differing


def test_every_sales_line_has_its_customer_product_and_amount(built: Lakehouse) -> None:
    (sales,) = built.landing.glob("crm/sales_details*.csv")
    sent = list(csv.DictReader(sales.open()))
    amount, without_money = Decimal(0), 0
    for line in sent:
        corrected = _corrected_amount(line)
        amount += corrected or 0
        without_money += corrected is None
    assert built.rows(
        "select count(*), sum(sales_amount), count_if(sales_amount is null), "
        "count_if(customer_key = '-1' or product_key = '-1' or unit_cost is null) from gold.fct_sales"
    ) == [(len(sent), amount, without_money, 0)]


def _corrected_amount(line: dict[str, str]) -> Decimal | None:
    """Rule for sales amounts, in other words than those of the model."""
    sent = int(line["sls_sales"] or 0)
    computed = int(line["sls_quantity"]) * abs(int(line["sls_price"] or 0))
    if sent <= 0 or computed not in (sent, 0):
        return Decimal(computed) if computed else None
    return Decimal(sent)


def test_nothing_new_changes_nothing(built: Lakehouse) -> None:
    schemas = "bronze", "snapshots", "silver", "gold", "ops"
    before = built.contents(*schemas, without=["last_seen_at"])
    output = built.run("run")
    assert "Nothing new in the landing zone" in output and "Nothing to build" in output
    assert "Alerts: 0 opened, 0 cleared" in output
    # No connector has its settings.
    assert "xtract" not in output
    assert built.contents(*schemas, without=["last_seen_at"]) == before


def test_everything_is_built_anew_when_asked_for(built: Lakehouse) -> None:
    before = built.contents("bronze", "snapshots", "silver", "gold")
    output = replace(built, settings=NO_DATA_TESTS).run("run", "--all")
    assert "Nothing new in the landing zone" in output and " 0 failed, 0 skipped" in output
    assert differing(built.contents("bronze", "snapshots", "silver", "gold"), before) == []


def test_plain_dbt_sees_the_tables_in_a_fresh_shell(built: Lakehouse) -> None:
    relative = {"LAKEHOUSE_HOME": os.path.relpath(built.home, PROJECT)}
    output = replace(built, settings=relative).run_apart("dbt", "build", "--select", "dim_product_cost")
    assert "ERROR=0" in output and "PASS=0" not in output


def test_tables_without_rows_pass_all_tests(tmp_path: Path) -> None:
    empty = Lakehouse(tmp_path)
    empty.landing.mkdir()
    assert " 0 failed" in empty.run("run")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_databricks_compiles_without_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.databricks.impl import DatabricksAdapter

    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    # It asks whether the tables of incremental models exist.
    monkeypatch.setattr(DatabricksAdapter, "get_relation", lambda *_, **__: None)
    options = ["--target", "databricks", "--no-populate-cache", "--no-introspect"]
    result = invoke(load_settings(), ["compile", *options])
    assert result.success, result.exception
    fact = tmp_path / "target/compiled/lakehouse/models/gold/sales/fct_sales.sql"
    assert "`lakehouse`.`silver`.`stg_crm__sales`" in fact.read_text()


def test_query_prints_csv_and_json(built: Lakehouse) -> None:
    sql = "select product_number, cost from gold.dim_product order by product_number limit 1"
    header, row = built.run("query", sql, "--format", "csv").splitlines()
    assert header == "product_number,cost"
    ((as_object),) = json.loads(built.run("query", sql, "--format", "json"))
    assert list(as_object.values()) == row.split(",")


def test_query_reads_an_earlier_version(built: Lakehouse) -> None:
    sql = "select count(*) as n from bronze.crm_sales_details"
    assert built.run("query", sql, "--at", "0", "--format", "csv").split() == ["n", "0"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["query", "select * from gold.nothing"], 1, "nothing"),
        (["query", "select 1 from gold.dim_date", "--format", "xml"], 2, "xml"),
        (["query", "select 1 from gold.dim_date", "--at", "9999"], 1, "version"),
        (["load", "--source", "crmm"], 2, "crmm"),
        (["build", "--source", "crmm"], 2, "crmm"),
        (["load", "--landing", "/nowhere"], 2, "/nowhere"),
        (["generate", "--out", "/tmp/none", "--scale", "0"], 2, "scale"),
        (["build", "--target", "nowhere"], 2, "nowhere"),
        (["run", "--target", "nowhere"], 2, "local, spark, databricks"),
        (["run", "--target", "databricks"], 2, "DATABRICKS_HOST"),
        (["generate", "--out", "/dev/null"], 2, "/dev/null"),
        (["--no-such-option"], 2, "no-such-option"),
    ],
)
def test_errors_name_the_cause(built: Lakehouse, arguments: list[str], exit_code: int, message: str) -> None:
    output = built.run(*arguments, exit_code=exit_code)
    assert message in output
    assert "Traceback" not in output


def test_status_shows_loads_quarantine_and_the_last_build(built: Lakehouse) -> None:
    output = built.run("status")
    for expected in ("crm.cust_info", "fresh", "the key is missing: cst_id is null", ", 0 failed"):
        assert expected in output


def test_only_one_run_at_a_time(built: Lakehouse) -> None:
    first = built.start("lakehouse", "load")
    try:
        _wait_for_lock(built.home / ".lock", first.pid)
        output = built.run("load", exit_code=2)
        assert f"process {first.pid}" in output
    finally:
        os.killpg(first.pid, signal.SIGTERM)
        first.communicate()


def _wait_for_lock(lock: Path, pid: int) -> None:
    for _ in range(100):
        if lock.exists() and lock.read_text() == str(pid):
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} did not take the lock")


def test_settings_errors_name_the_setting(tmp_path: Path) -> None:
    output = Lakehouse(tmp_path, {"LAKEHOUSE_WATERMARK": "soon"}).run("status", exit_code=2)
    assert "LAKEHOUSE_WATERMARK: 'soon' is no duration; give one such as '30 seconds'" in output


@pytest.mark.parametrize("arguments", [["build"], ["validate", "gym"], ["query", "select 1"], ["status"]])
def test_what_needs_tables_says_how_to_get_them(tmp_path: Path, arguments: list[str]) -> None:
    output = Lakehouse(tmp_path).run(*arguments, exit_code=2)
    assert "run `lakehouse run` first" in output
