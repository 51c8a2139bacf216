"""A build tests what came since the last one that passed; everything else tests everything."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from .conftest import Lakehouse, Update


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


def test_a_truncated_extract_stops_before_gold(updated: Update, built: Lakehouse) -> None:
    before = built.contents("silver", "gold")
    lines = built.delivered(3, "cust_info").read_bytes().splitlines(keepends=True)
    truncated = built.landing / "crm" / "cust_info_truncated.csv"
    truncated.write_bytes(b"".join(lines[: len(lines) // 10]))
    output = built.run("lakehouse", "run", "--source", "crm", exit_code=1)
    assert "cust_info" in output
    assert built.contents("silver", "gold") == before
    assert "cust_info" in built.run("lakehouse", "status").split("Failed tests")[1]


def _folder(lakehouse: Lakehouse, schema: str, table: str) -> Path:
    return lakehouse.home / "warehouse" / f"{schema}.db" / table


def _version(spark: SparkSession, folder: Path) -> int:
    newest = spark.sql(f"describe history delta.`{folder}`").first()
    assert newest is not None
    return int(newest["version"])
