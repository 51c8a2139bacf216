"""Later deliveries: history, corrections, removals, and deliveries that bring nothing new."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import NO_DATA_TESTS, Lakehouse


@pytest.fixture(scope="module")
def step_by_step(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Three deliveries in two runs; with the last come the same rows in other files."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("step_by_step"), sources=("crm", "erp"))
    lakehouse.deliver(1)
    untested = replace(lakehouse, settings=NO_DATA_TESTS)
    untested.run(*lakehouse.run_command)
    lakehouse.deliver(2)
    lakehouse.deliver(3)
    for table in ("cust_info", "sales_details"):
        file = _file(lakehouse, 3, table)
        shutil.copy(file, lakehouse.landing / "crm" / f"{table}_copy.csv")
        resorted = lakehouse.landing / "crm" / f"{table}_resorted.csv"
        header, *lines = file.read_bytes().splitlines(keepends=True)
        resorted.write_bytes(b"".join([header, *reversed(lines)]))
    untested.run(*lakehouse.run_command)
    return lakehouse


def test_waiting_extracts_lose_no_change_and_repeated_rows_add_none(step_by_step: Lakehouse) -> None:
    # Sail begins with bronze alone, where all extracts wait for it, and tests what it builds.
    output = step_by_step.run("lakehouse", "build", "--target", "sail", *step_by_step.source_options)
    assert "0 failed" in output
    at_once, in_steps = step_by_step.contents_on_sail(), step_by_step.contents("snapshots", "silver", "gold")
    assert len(in_steps) > 10
    for name, rows in in_steps.items():
        assert at_once[name] == rows, name
    copies = "select status from ops.loads where _source_file like '%_copy.csv'"
    assert step_by_step.rows(copies) == [("duplicate",)] * 2


def test_removed_and_returning_customers_have_their_history(step_by_step: Lakehouse) -> None:
    extracts = [_customer_ids(step_by_step, number) for number in (1, 2, 3)]
    gone, back = extracts[0] - extracts[1], (extracts[0] - extracts[1]) & extracts[2]
    assert back and gone - back, "the sample has customers who return and customers who do not"
    ranges = step_by_step.rows(
        "select cst_id, count(*), count_if(dbt_valid_to is null) from snapshots.crm_customers group by cst_id"
    )
    by_id = {customer: (versions, current) for customer, versions, current in ranges}
    assert all(by_id[customer] == (2, 1) for customer in back)
    assert all(by_id[customer] == (1, 0) for customer in gone - back)
    deleted = step_by_step.rows("select customer_id from gold.dim_customer where is_deleted")
    assert {customer for (customer,) in deleted} == (extracts[0] | extracts[1]) - extracts[2]


def test_corrections_supersede_and_add_no_line(step_by_step: Lakehouse) -> None:
    lines: dict[tuple[str, str], str] = {}
    for number in (1, 2, 3):
        for line in csv.DictReader(_file(step_by_step, number, "sales_details").open()):
            lines[line["sls_ord_num"], line["sls_prd_key"]] = line["sls_quantity"]
    quantities = step_by_step.rows("select order_number, product_number, quantity from gold.fct_sales")
    assert {(order, product): str(n) for order, product, n in quantities} == lines


def test_a_truncated_extract_stops_before_gold(step_by_step: Lakehouse) -> None:
    before = step_by_step.contents("silver", "gold")
    lines = _file(step_by_step, 3, "cust_info").read_bytes().splitlines(keepends=True)
    truncated = step_by_step.landing / "crm" / "cust_info_truncated.csv"
    truncated.write_bytes(b"".join(lines[: len(lines) // 10]))
    output = step_by_step.run(*step_by_step.run_command, exit_code=1)
    assert "cust_info" in output
    assert step_by_step.contents("silver", "gold") == before
    assert "cust_info" in step_by_step.run("lakehouse", "status").split("Failed tests")[1]


def _file(lakehouse: Lakehouse, number: int, table: str) -> Path:
    (file,) = (file for file in lakehouse.deliveries[number] if file.name.startswith(table))
    return file


def _customer_ids(lakehouse: Lakehouse, number: int) -> set[int]:
    rows = csv.DictReader(_file(lakehouse, number, "cust_info").open())
    return {int(row["cst_id"]) for row in rows if row["cst_id"]}
