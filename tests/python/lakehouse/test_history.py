"""Later deliveries: history, corrections, removals, and rows that come again."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from ingestion.streams.tables import read_tables
from lakehouse.settings import PROJECT

from .conftest import Lakehouse, Update, order_lines, orders, to_cents


def test_a_run_builds_what_depends_on_new_rows(updated: Update, built: Lakehouse) -> None:
    assert "bronze.events_events" in updated.output and "bronze.gym" not in updated.output
    manifest = json.loads((built.home / "target" / "manifest.json").read_text())
    models = {name for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    # Nothing of gyms came, and the same categories as before; dates have no source.
    left_out = ("gym_summary", "workout_bpm_summary", "stg_erp__categories", "dim_date")
    assert models - updated.models == {f"model.lakehouse.{name}" for name in left_out}
    assert built.value("select sum(event_count) from gold.events_by_action") == built.value(
        "select count(*) from silver.stg_events__events"
    )
    # The rest was tested before.
    newest = "select checked_project is not null from ops.builds order by finished_at desc limit 1"
    assert built.value(newest) is True


def test_waiting_extracts_lose_no_change_and_repeated_rows_add_none(
    updated: Update, built: Lakehouse
) -> None:
    # Sail begins with bronze alone, where all extracts wait for it, and tests what it builds.
    assert "0 failed" in built.run("lakehouse", "build", "--target", "sail")
    at_once, in_steps = built.contents_on_sail(), built.contents("snapshots", "silver", "gold")
    # What streams write is attached like bronze.
    streamed = {table.silver for table in read_tables(PROJECT / "models").values()}
    assert in_steps.keys() - at_once.keys() == streamed
    assert len(in_steps.keys() - streamed) > 10
    for name in in_steps.keys() - streamed:
        assert at_once[name] == in_steps[name], name
    copies = "select status from ops.loads where _source_file like '%_copy.csv'"
    assert built.rows(copies) == [("duplicate",)] * 2


def test_removed_and_returning_customers_have_their_history(updated: Update, built: Lakehouse) -> None:
    extracts = [_customer_ids(built, number) for number in (1, 2, 3)]
    gone, back = extracts[0] - extracts[1], (extracts[0] - extracts[1]) & extracts[2]
    assert back and gone - back, "the sample has customers who return and customers who do not"
    ranges = built.rows(
        "select cst_id, count(*), count_if(dbt_valid_to is null) from snapshots.crm_customers group by cst_id"
    )
    by_id = {customer: (versions, current) for customer, versions, current in ranges}
    assert all(by_id[customer] == (2, 1) for customer in back)
    assert all(by_id[customer] == (1, 0) for customer in gone - back)
    deleted = built.rows("select customer_id from gold.dim_customer where is_deleted")
    assert {customer for (customer,) in deleted} == (extracts[0] | extracts[1]) - extracts[2]


def test_corrections_supersede_and_add_no_line(updated: Update, built: Lakehouse) -> None:
    lines: dict[tuple[str, str], str] = {}
    for number in (1, 2, 3):
        for line in csv.DictReader(built.delivered(number, "sales_details").open()):
            lines[line["sls_ord_num"], line["sls_prd_key"]] = line["sls_quantity"]
    quantities = built.rows("select order_number, product_number, quantity from gold.fct_sales")
    assert {(order, product): str(n) for order, product, n in quantities} == lines


def test_statistics_say_which_lines_files_have(
    built: Lakehouse, statistics: Callable[[Path], set[str]]
) -> None:
    tables = built.home / "warehouse"
    assert statistics(tables / "silver.db/stg_crm__sales") == {"order_number", "_ingested_at"}
    assert statistics(tables / "gold.db/fct_sales") == {"order_number"}


def test_corrected_orders_count_and_can_be_taken_back(updated: Update, built: Lakehouse) -> None:
    before, after = updated.orders_before, orders(built)
    files = sorted(path.name for path in built.landing.glob("storefront/Order*.json"))
    sent = {line["Row ID"]: to_cents(line["Profit"]) for name in files for line in order_lines(built, name)}
    assert dict(after) == sent != dict(before)

    history = json.loads(built.run("lakehouse", "history", "fct_orders", "--format", "json"))
    assert [entry["version"] for entry in history] == [1, 0]
    sql = "select row_id, profit from gold.fct_orders order by row_id"
    past = json.loads(built.run("lakehouse", "query", sql, "--at", "0", "--format", "json"))
    assert [(row["row_id"], Decimal(row["profit"])) for row in past] == before

    built.run("lakehouse", "restore", "gold.fct_orders", "--to", "0")
    assert orders(built) == before
    assert "0 failed" in built.run("lakehouse", "build", "--select", "fct_orders+")
    assert orders(built) == after


def _customer_ids(lakehouse: Lakehouse, number: int) -> set[int]:
    rows = csv.DictReader(lakehouse.delivered(number, "cust_info").open())
    return {int(row["cst_id"]) for row in rows if row["cst_id"]}
