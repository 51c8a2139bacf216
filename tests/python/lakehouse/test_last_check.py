"""A build tests what came since the last one that passed; everything else tests everything."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from .conftest import Lakehouse, order_lines, to_cents

_OF_EVENTS = ("stg_events__events", "events_by_action", "events_by_hour")
_OF_STOREFRONT = (
    "stg_storefront__customers",
    "stg_storefront__orders",
    "stg_storefront__products",
    "dim_storefront_customer",
    "dim_storefront_product",
    "fct_orders",
    "order_line_exceptions",
    "profit_by_category",
    "profit_by_customer",
    "profit_by_sub_category",
    "profit_by_year",
    "profit_cube",
)


@pytest.mark.soak
def test_old_rows_are_left_to_dbt_test(built: Lakehouse, spark: SparkSession) -> None:
    fact = _folder(built, "gold", "fct_sales")
    before = _version(spark, fact)
    order = built.value("select min(order_number) from gold.fct_sales")
    spark.sql(f"update delta.`{fact}` set customer_key = 'nobody' where order_number = '{order}'")
    assert "0 failed" in built.run("lakehouse", "build")
    assert "FAIL" in built.run("dbt", "test", "--select", "fct_sales", exit_code=1)
    # A restored table is tested as a whole.
    built.run("lakehouse", "restore", "fct_sales", "--to", str(_version(spark, fact)))
    assert "relationships_fct_sales_customer_key" in built.run("lakehouse", "build", exit_code=1)
    built.run("lakehouse", "restore", "fct_sales", "--to", str(before))
    assert "0 failed" in built.run("lakehouse", "build")


@dataclass
class Delivery:
    """What a run printed that found something new in two sources, and the orders before it."""

    output: str
    orders_before: list[tuple[object, ...]]


@pytest.fixture(scope="module")
def second_delivery(built: Lakehouse) -> Delivery:
    before = _orders(built)
    built.deliver(2, "storefront")
    (built.landing / "events" / "new.json").write_text('{"time":1469501107,"action":"Open"}\n')
    return Delivery(built.run("lakehouse", "run"), before)


def test_a_run_builds_what_depends_on_new_rows(built: Lakehouse, second_delivery: Delivery) -> None:
    output = second_delivery.output
    assert "bronze.events_events" in output and "bronze.crm" not in output
    results = json.loads((built.home / "target" / "run_results.json").read_text())["results"]
    models = {result["unique_id"] for result in results if result["unique_id"].startswith("model.")}
    assert models == {f"model.lakehouse.{name}" for name in (*_OF_EVENTS, *_OF_STOREFRONT, "row_accounting")}
    assert built.value("select sum(event_count) from gold.events_by_action") == built.value(
        "select count(*) from silver.stg_events__events"
    )
    # The rest was tested before.
    newest = "select checked_project is not null from ops.builds order by finished_at desc limit 1"
    assert built.value(newest) is True


def test_corrected_orders_count_and_can_be_taken_back(built: Lakehouse, second_delivery: Delivery) -> None:
    before, after = second_delivery.orders_before, _orders(built)
    lines = order_lines(built, "Order.json") + order_lines(built, "Order_2.json")
    sent = {line["Row ID"]: to_cents(line["Profit"]) for line in lines}
    assert dict(after) == sent != dict(before)

    history = json.loads(built.run("lakehouse", "history", "fct_orders", "--format", "json"))
    assert [entry["version"] for entry in history] == [1, 0]
    sql = "select row_id, profit from gold.fct_orders order by row_id"
    past = json.loads(built.run("lakehouse", "query", sql, "--at", "0", "--format", "json"))
    assert [(row["row_id"], Decimal(row["profit"])) for row in past] == before

    built.run("lakehouse", "restore", "gold.fct_orders", "--to", "0")
    assert _orders(built) == before
    assert "0 failed" in built.run("lakehouse", "build", "--select", "fct_orders+")
    assert _orders(built) == after


@pytest.mark.parametrize(
    "builds",
    [(("--select", "fct_sales"),), pytest.param(((), ("--select", "fct_sales")), marks=pytest.mark.soak)],
)
def test_new_rows_fail_until_they_are_right(
    built: Lakehouse, spark: SparkSession, builds: tuple[tuple[str, ...], ...]
) -> None:
    fact = _folder(built, "gold", "fct_sales")
    spark.sql(f"""
        insert into delta.`{fact}` by name
        select * except (customer_key, _ingested_at), 'nobody' as customer_key, now() as _ingested_at
        from delta.`{fact}` version as of {_version(spark, fact)} limit 1
    """)
    for selected in builds:
        output = built.run("lakehouse", "build", *selected, exit_code=1)
        for test in ("primary_key_fct_sales", "relationships_fct_sales_customer_key", "fct_sales_reconciles"):
            assert test in output


def _orders(lakehouse: Lakehouse) -> list[tuple[object, ...]]:
    return sorted(lakehouse.rows("select row_id, profit from gold.fct_orders"))


def _folder(lakehouse: Lakehouse, schema: str, table: str) -> Path:
    return lakehouse.home / "warehouse" / f"{schema}.db" / table


def _version(spark: SparkSession, folder: Path) -> int:
    newest = spark.sql(f"describe history delta.`{folder}`").first()
    assert newest is not None
    return int(newest["version"])
