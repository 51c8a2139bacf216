"""The shop and the payment service of the sample company, extracted from by the real connectors, agree."""

import sys
from pathlib import Path

from tests.python.lakehouse.conftest import Lakehouse


def test_an_order_of_the_shop_is_a_payment_at_the_payment_service(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    servers = (sys.executable, "-m", "sampledata.servers", "--deliveries", "2", "--scale", "0.1")
    sources = ("--source", "shopify", "--source", "stripe", "--source", "transactions")
    output = lakehouse.run_apart(*servers, "lakehouse", "run", *sources)
    assert "0 failed" in output and "Extracted" in output
    orders = lakehouse.rows(
        "select order_name from silver.stg_shopify__orders "
        "where not is_test and array_contains(payment_gateways, 'stripe') and financial_status != 'pending'"
    )
    paid = lakehouse.rows(
        "select get_json_object(metadata, '$.order_name') as order_name from silver.stg_stripe__charges "
        "where get_json_object(metadata, '$.order_name') is not null"
    )
    assert len(orders) > 10
    assert set(paid) <= set(orders)
    # A reference is lost now and then.
    assert len(paid) > 0.9 * len(orders)
    others = lakehouse.rows("select order_reference from silver.stg_transactions__transactions")
    assert others and not set(others) & set(paid)
    lakehouse.run_apart(*servers, "lakehouse", "extract")
    newest = "select max_by(records, started_at) from ops.extracts group by source, table_name"
    assert set(lakehouse.rows(newest)) == {(0,)}
