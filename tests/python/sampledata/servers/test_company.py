"""The shop and the payment service of the sample company, extracted from by the real connectors, agree."""

import json
import random
import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.python.lakehouse.conftest import NO_DATA_TESTS, Lakehouse

_SERVERS = (sys.executable, "-m", "sampledata.servers", "--deliveries", "2", "--scale", "0.1")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """A lakehouse of the shop and the payment service; the other sources have tables without rows."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("company"))
    lakehouse.landing.mkdir()
    output = lakehouse.run_apart(*_SERVERS, "lakehouse", "run")
    assert "0 failed" in output and "Extracted" in output
    return lakehouse


def test_an_order_of_the_shop_is_a_payment_at_the_payment_service(company: Lakehouse) -> None:
    orders = company.rows(
        "select order_name from silver.stg_shopify__orders "
        "where not is_test and array_contains(payment_gateways, 'stripe') and financial_status != 'pending'"
    )
    paid = company.rows(
        "select get_json_object(metadata, '$.order_name') as order_name from silver.stg_stripe__charges "
        "where get_json_object(metadata, '$.order_name') is not null"
    )
    assert len(orders) > 10
    assert set(paid) <= set(orders)
    # A reference is lost now and then.
    assert len(paid) > 0.9 * len(orders)
    others = company.rows("select order_reference from silver.stg_transactions__transactions")
    assert others and not set(others) & set(paid)
    company.run_apart(*_SERVERS, "lakehouse", "extract")
    newest = "select max_by(records, started_at) from ops.extracts group by source, table_name"
    assert set(company.rows(newest)) == {(0,)}


def test_revenue_grows_by_what_payments_that_lose_their_reference_are_worth(company: Lakehouse) -> None:
    """Each lost reference counts one sale twice, without its tax, exactly, and is listed as unmatched."""
    before, unmatched = _revenue(company), _unmatched(company)
    matched = company.rows(
        "select payment_id, total_charged - tax_amount from gold.fct_revenue "
        "inner join silver.stg_stripe__checkout_sessions on payment_id = payment_intent_id "
        "where channel = 'stripe' and event_type = 'payment' and is_settlement "
        "and fct_revenue.currency = 'USD'"
    )
    lost = dict(random.Random(1).sample(sorted(matched), 5))
    for name in ("charges", "payment_intents"):
        folder = company.landing / "stripe" / name
        records = [_read(line) for page in sorted(folder.iterdir()) for line in page.read_text().splitlines()]
        changed = [r | {"metadata": {}} for r in records if r.get("payment_intent", r["id"]) in lost]
        page = folder / "20991231T000000.000000Z-20991230T000000.000000Z-000001.json"
        page.write_text("".join(f"{json.dumps(record)}\n" for record in changed))
    company.settings |= NO_DATA_TESTS
    company.run("run")
    assert _revenue(company) - before == sum(lost.values(), Decimal(0))
    assert _unmatched(company) - unmatched == set(lost)


def _revenue(lakehouse: Lakehouse) -> Decimal:
    ((amount,),) = lakehouse.rows("select sum(amount_usd) from gold.fct_revenue")
    assert isinstance(amount, Decimal)
    return amount


def _unmatched(lakehouse: Lakehouse) -> set[str]:
    return {payment for (payment,) in lakehouse.rows("select payment_id from gold.unmatched_payments")}


def _read(line: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    return record
