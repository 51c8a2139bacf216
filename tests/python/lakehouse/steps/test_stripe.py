"""Stripe by the command line: from an account on loopback to silver, in ten currencies and an unknown one."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sampledata.servers import serve
from sampledata.servers.stripe import DAY, Account
from sampledata.servers.stripe_objects import (
    balance_transaction,
    charge,
    checkout_session,
    customer,
    dispute,
    payment_intent,
    payout,
    refund,
)
from tests.python.ingestion.connectors.stripe_zone import CURRENCIES, KEY, NOON

from ..conftest import Lakehouse

SOURCE = ("--source", "stripe")
UNITS = {"jpy": 1, "krw": 1, "vnd": 1, "kwd": 1000, "bhd": 1000}


@pytest.fixture
def account() -> Account:
    """Payments of 20 customers, two in each currency, with one refund, one dispute and one payout."""
    account = Account(KEY, now=lambda: NOON)
    for number in range(20):
        at, currency, amount = NOON - DAY + number, CURRENCIES[number % 10], 12345 + 100 * number
        buyer, paid, charged = f"cus_{number}", f"pi_{number}", f"ch_{number}"
        account.put("customers", customer(buyer, at, f"P{number}@Example.com"))
        intent = payment_intent(paid, at, amount, currency, customer=buyer, latest_charge=charged)
        account.put("payment_intents", intent)
        ids = {"customer": buyer, "payment_intent": paid, "balance_transaction": f"txn_{number}"}
        account.put("charges", charge(charged, at, amount, currency, **ids))
        moved = balance_transaction(f"txn_{number}", at, 5000, "usd", charged, fee=175, net=4825)
        account.put("balance_transactions", moved)
    account.put("refunds", refund("re_1", NOON - 600, 45, "jpy", "ch_3"))
    account.put("disputes", dispute("dp_1", NOON - 600, 1000, "kwd", "ch_6"))
    account.put("payouts", payout("po_1", NOON - 600, 9650, "usd"))
    totals = {"amount_discount": 100, "amount_shipping": 0, "amount_tax": 445}
    session = checkout_session("cs_1", NOON - 600, 12345, "usd", payment_intent="pi_0", total_details=totals)
    account.put("checkout/sessions", session)
    account.tell("payout.created", account.objects("payouts")[0])
    return account


@pytest.fixture
def lakehouse(tmp_path: Path, account: Account) -> Iterator[Lakehouse]:
    with serve(account) as url:
        lakehouse = Lakehouse(tmp_path, {"STRIPE_API_URL": url, "STRIPE_API_KEY": KEY})
        lakehouse.landing.mkdir()
        yield lakehouse


def test_payments_reach_silver_in_units_and_an_unknown_currency_is_told(
    lakehouse: Lakehouse, account: Account
) -> None:
    output = lakehouse.run("run", *SOURCE)
    assert "stripe.charges" in output and " 0 warned, 0 failed" in output
    expected = [
        (
            currency.upper(),
            Decimal(2 * 12345 + 100 * (2 * n + 10)) / UNITS.get(currency, 100),
        )
        for n, currency in enumerate(CURRENCIES)
    ]
    assert lakehouse.rows(
        "select currency, sum(amount) from silver.stg_stripe__charges group by currency order by currency"
    ) == sorted(expected)
    assert lakehouse.rows("select amount, created_at from silver.stg_stripe__refunds") == [
        (45, datetime(2026, 11, 30, 11, 50))
    ]
    assert lakehouse.rows("select amount from silver.stg_stripe__disputes") == [(1,)]
    assert lakehouse.rows(
        "select sum(amount), sum(fee), sum(net) from silver.stg_stripe__balance_transactions"
    ) == [(1000, 35, 965)]
    assert lakehouse.rows("select discount_amount, tax_amount from silver.stg_stripe__checkout_sessions") == [
        (1, Decimal("4.45"))
    ]
    assert lakehouse.rows("select object_id, object_type from silver.stg_stripe__events") == [
        ("po_1", "payout")
    ]
    assert lakehouse.rows(
        "select max(email) filter (where customer_id = 'cus_7') from silver.stg_stripe__customers"
    ) == [("p7@example.com",)]

    later = NOON + DAY
    account.now = lambda: later
    account.put("charges", charge("ch_new", later - 600, 100, "zzz"), "charge.succeeded")
    account.put(
        "charges", account.objects("charges")[3] | {"amount_refunded": 45}, "charge.refunded", later - 600
    )
    output = lakehouse.run("run", *SOURCE, exit_code=1)
    assert "stg_stripe__charges_currency_unknown" in output
    assert lakehouse.rows(
        "select charge_id, amount, amount_refunded from silver.stg_stripe__charges "
        "where charge_id in ('ch_3', 'ch_new') order by charge_id"
    ) == [("ch_3", 12645, 45), ("ch_new", None, None)]
    files = (file for file in lakehouse.folder.rglob("*") if file.is_file())
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []
