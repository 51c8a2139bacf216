"""Later deliveries: history, corrections, removals, rows that come again, and rows that are wrong."""

import csv
import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from dbt.adapters.lakehouse import delta
from deltalake import DeltaTable

from ingestion.streams.tables import read_tables
from tests.python import PROJECT

from ..conftest import Lakehouse, Update, differing, order_lines, orders, to_cents


def test_a_run_loads_what_is_new(updated: Update, built: Lakehouse) -> None:
    assert "events.events" in updated.output and "gym." not in updated.output
    assert built.value("select sum(event_count) from gold.events_by_action") == built.value(
        "select count(*) from silver.stg_events__events"
    )


def test_waiting_extracts_lose_no_change_and_repeated_rows_add_none(
    updated: Update, built: Lakehouse, tmp_path: Path
) -> None:
    # A home that begins with bronze alone, where all extracts wait for it, and tests what it builds.
    anew = Lakehouse(tmp_path)
    streamed = {table.silver for table in read_tables(PROJECT / "models").values()}
    for name in built.warehouse.tables():
        if name.startswith(("bronze.", "ops.")) or name in streamed:
            shutil.copytree(built.table(name), anew.table(name))
    assert "0 failed" in anew.run("build")
    layers = ("snapshots", "silver", "gold")
    at_once, in_steps = anew.contents(*layers), built.contents(*layers)
    assert len(at_once.keys() - streamed) > 10
    assert differing(at_once, in_steps) == []
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


def test_corrected_orders_count_and_can_be_taken_back(updated: Update, built: Lakehouse) -> None:
    before, after = updated.orders_before, orders(built)
    files = sorted(path.name for path in built.landing.glob("storefront/Order*.json"))
    sent = {line["Row ID"]: to_cents(line["Profit"]) for name in files for line in order_lines(built, name)}
    assert dict(after) == sent != dict(before)

    history = json.loads(built.run("history", "fct_orders", "--format", "json"))
    assert [entry["version"] for entry in history] == [1, 0]
    sql = "select row_id, profit from gold.fct_orders order by row_id"
    past = json.loads(built.run("query", sql, "--at", "0", "--format", "json"))
    assert [(row["row_id"], Decimal(row["profit"])) for row in past] == before

    for _ in range(2):
        built.run("restore", "gold.fct_orders", "--to", "0")
        assert orders(built) == before
    assert "0 failed" in built.run("build", "--select", "fct_orders+")
    assert orders(built) == after


def test_wrong_rows_fail_until_they_are_right(updated: Update, built: Lakehouse) -> None:
    location = str(built.table("gold.fct_sales"))
    table = DeltaTable(location)
    line, other = table.to_pyarrow_table().slice(0, 2).to_pylist()
    wrong = line | {"_ingested_at": datetime.now(UTC)}
    delta.append(location, pa.Table.from_pylist([wrong], delta.arrow_schema(table)))
    this_line = f"order_number = '{other['order_number']}' and product_number = '{other['product_number']}'"
    DeltaTable(location).update(new_values={"customer_key": "nobody"}, predicate=this_line)
    output = built.run("build", "--select", "fct_sales", exit_code=1)
    for test in ("fct_sales_key_missing_or_repeated", "fct_sales_reconciles"):
        assert test in output
    # A build puts right which customer it was, and leaves it to people that a line is there twice.
    assert built.value("select count(*) from gold.fct_sales where customer_key = 'nobody'") == 0
    built.run("restore", "fct_sales", "--to", str(table.version()))
    assert "0 failed" in built.run("build", "--select", "fct_sales")


def test_a_truncated_extract_stops_before_gold(updated: Update, built: Lakehouse) -> None:
    before = built.contents("silver", "gold")
    lines = built.delivered(3, "cust_info").read_bytes().splitlines(keepends=True)
    truncated = built.landing / "crm" / "cust_info_truncated.csv"
    truncated.write_bytes(b"".join(lines[: len(lines) // 10]))
    output = built.run("run", "--source", "crm", exit_code=1)
    assert "cust_info" in output
    assert differing(built.contents("silver", "gold"), before) == []
    assert "cust_info" in built.run("status").split("Failed tests")[1]


def _customer_ids(lakehouse: Lakehouse, number: int) -> set[int]:
    rows = csv.DictReader(lakehouse.delivered(number, "cust_info").open())
    return {int(row["cst_id"]) for row in rows if row["cst_id"]}
