"""Records that cannot be parsed, and numbers that cannot be: what is built of the others."""

import csv
import json
from pathlib import Path

import pytest

from ..conftest import Lakehouse

ORDER = dict.fromkeys(("Order ID", "Ship Mode", "Customer ID", "Product ID"), "x") | dict.fromkeys(
    ("Order Date", "Ship Date"), "1/1/2024"
)
SALES = ("ord_num", "prd_key", "cust_id", "order_dt", "ship_dt", "due_dt", "sales", "quantity", "price")


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """A lakehouse with a first delivery of what comes as files."""
    sources = ("crm", "erp", "events", "storefront")
    lakehouse = Lakehouse(tmp_path_factory.mktemp("wrong"), sources=sources, scale=0.02)
    lakehouse.deliver(1)
    lakehouse.run(*lakehouse.run_arguments)
    return lakehouse


def test_an_incomplete_extract_removes_nobody_and_leaves_no_gap(lakehouse: Lakehouse) -> None:
    with lakehouse.delivered(1, "LOC_A101").open(newline="") as file:
        header, gone, changed, kept, *others = list(csv.reader(file))
    before = lakehouse.rows("select CID, CNTRY from snapshots.erp_locations")

    def deliver(number: int, *rows: list[str]) -> str:
        lines = "".join(",".join(row) + "\n" for row in [header, *rows, *others])
        (lakehouse.landing / "erp" / f"LOC_A101_{number}.csv").write_text(lines)
        return lakehouse.run("run", "--source=erp")

    broken = [kept[0], "Congo", " Republic of"]
    output = deliver(2, [changed[0], "Peru"], broken)
    assert "1 records of the newest extract cannot be parsed" in " ".join(output.split())
    assert lakehouse.value("select count(*) from silver.stg_erp__locations where is_deleted") == 0
    versions = "select CNTRY, dbt_valid_to is null from snapshots.erp_locations where CID = '{}' order by 2"
    assert lakehouse.rows(versions.format(changed[0])) == [(changed[1] or None, False), ("Peru", True)]

    deliver(3, [changed[0], "Peru"], kept)
    assert lakehouse.rows(versions.format(kept[0])) == [(kept[1] or None, True)]
    assert lakehouse.rows(versions.format(gone[0])) == [(gone[1] or None, False)]
    assert lakehouse.value("select count(*) from silver.stg_erp__locations where is_deleted") == 1
    assert lakehouse.value("select count(*) from snapshots.erp_locations") == len(before) + 1


def test_numbers_that_cannot_be_are_rejected_and_the_rest_is_built(lakehouse: Lakehouse) -> None:
    events = lakehouse.value("select sum(event_count) from gold.events_by_action")
    orders = lakehouse.value("select count(*) from gold.fct_orders")
    sales = lakehouse.value("select count(*) from gold.fct_sales")
    _write(lakehouse.landing / "events" / "file-90.json",
           '{"time":1469501107000000,"action":"Open"}\n{"time":1469501107,"action":"Open"}\n')  # fmt: skip
    money = [("12345678901234567890", "1"), ("1", "12345678901234567890.5"), ("1", "1")]
    numbers = ({"Row ID": 99_000_000 + row, "Quantity": 1, "Discount": 0} for row in range(3))
    records = [
        ORDER | some | {"Price": price, "Profit": profit}
        for some, (price, profit) in zip(numbers, money, strict=True)
    ]
    _write(lakehouse.landing / "storefront" / "Orders_90.json", json.dumps(records))
    lines = (
        ",".join(f"sls_{name}" for name in SALES),
        "SO1,P,1,20240101,0,0,1,2147483647,2147483647",
        "SO2,P,1,20240101,0,0,1,1,1\n",
    )
    _write(lakehouse.landing / "crm" / "sales_details_90.csv", "\n".join(lines))
    output = " ".join(lakehouse.run(*lakehouse.run_arguments).split())
    assert "1 rows are rejected: time is no number of seconds in the years 1 to 9999" in output
    assert "2 rows are rejected: price or profit is a trillion or more" in output
    assert "1 rows are rejected: quantity times price is a trillion or more" in output
    assert lakehouse.value("select sum(event_count) from gold.events_by_action") == events + 1  # type: ignore[operator]
    assert lakehouse.value("select count(*) from gold.fct_orders") == orders + 1  # type: ignore[operator]
    assert lakehouse.value("select count(*) from gold.fct_sales") == sales + 1  # type: ignore[operator]


def _write(path: Path, content: str) -> None:
    path.write_text(content)
