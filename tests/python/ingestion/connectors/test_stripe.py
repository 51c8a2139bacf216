"""Stripe: what was created comes once, what changed comes again, and what cannot be trusted is refused."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion.connectors.bucket import Bucket
from ingestion.connectors.stripe_client import VERSION
from sampledata.servers import Fault
from sampledata.servers.stripe import DAY
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

from .stripe_zone import CURRENCIES, KEY, NOON, StripeZone, add_charges, change, stripe_zone


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeZone]:
    monkeypatch.setattr("ingestion.connectors.stripe_client.RATE", 10_000)
    with stripe_zone(tmp_path) as opened:
        yield opened


def test_all_charges_come_once_and_oldest_first(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 730)
    extraction = zone.done()
    assert zone.ids() == ids
    assert {made["currency"] for made in zone.landed()} == set(CURRENCIES)
    # Each page once, and some requests that find the oldest one.
    assert extraction.pages in (8, 9)
    assert len(zone.account.asked) < extraction.pages + 35
    assert {call.headers["stripe-version"] for call in zone.account.asked} == {VERSION}


def test_objects_land_as_they_were_sent(zone: StripeZone) -> None:
    sent = charge("ch_1", NOON - 60, 10, "usd", description="Zoë, 5 €", metadata={"order": "7"})
    zone.account.put("charges", sent)
    zone.done()
    (file,) = zone.files()
    assert file.read_text() == json.dumps(sent, ensure_ascii=False, separators=(",", ":")) + "\n"


def test_what_a_browser_pays_with_does_not_land(zone: StripeZone) -> None:
    sent = payment_intent("pi_1", NOON - 60, 10, "usd")
    assert sent["client_secret"]
    zone.account.put("payment_intents", sent)
    zone.extract("payment_intents")
    (file,) = zone.files("payment_intents")
    assert json.loads(file.read_text()) == {name: sent[name] for name in sent if name != "client_secret"}


def test_more_than_a_page_of_one_second(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 450, step=0)
    zone.done()
    assert zone.ids() == ids


def test_more_than_a_page_within_the_last_minute(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 250, end=NOON - 1, step=0)
    zone.done()
    zone.wait(120)
    zone.done()
    assert zone.ids() == ids


def test_nothing_new_writes_no_file(zone: StripeZone) -> None:
    add_charges(zone.account, 250, end=NOON - 120)
    zone.done()
    files = zone.files()
    zone.account.asked.clear()
    zone.wait(DAY)
    assert zone.done().records == 0
    zone.wait(DAY)
    zone.account.asked.clear()
    assert zone.done().records == 0
    assert zone.files() == files
    assert zone.paths() == ["events", "charges"]


def test_what_changed_arrives_and_what_is_new(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 250)
    zone.done()
    zone.wait(DAY)
    change(zone.account, ids[3], amount_refunded=5)
    change(zone.account, ids[200], "charge.updated", description="later")
    change(zone.account, ids[3], amount_refunded=9, refunded=True)
    zone.account.put("charges", charge("ch_new", NOON + DAY, 1, "usd"), "charge.succeeded")
    zone.wait(120)
    zone.done()
    assert zone.ids() == [*ids, "ch_new", ids[200], ids[3]]
    assert zone.landed()[-1]["amount_refunded"] == 9
    # As it is now, in one version; the event has it as it was, in another one.
    assert f"charges/{ids[3]}" in zone.paths()
    zone.wait(DAY)
    assert zone.done().records == 0


def test_a_dispute_changes_its_charge(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 3)
    zone.extract("charges", "disputes")
    zone.wait(DAY)
    change(zone.account, ids[1], "", disputed=True)
    disputed = dispute("dp_1", NOON + DAY, 5, "usd", ids[1])
    zone.account.put("disputes", disputed, "charge.dispute.created")
    zone.wait(120)
    zone.extract("charges", "disputes")
    assert zone.landed()[-1]["disputed"] and zone.ids() == [*ids, ids[1]]
    assert zone.ids("disputes") == ["dp_1"]
    zone.account.put("disputes", disputed | {"status": "lost"}, "charge.dispute.closed")
    zone.wait(DAY)
    zone.extract("charges", "disputes")
    assert [made["status"] for made in zone.landed("disputes")] == ["needs_response", "lost"]


def test_a_deleted_customer_lands_as_such(zone: StripeZone) -> None:
    for number in range(3):
        zone.account.put("customers", customer(f"cus_{number}", NOON - DAY + number, "a@example.com"))
    zone.done("customers")
    zone.wait(DAY)
    zone.account.delete("customers", "cus_1", "customer.deleted")
    zone.account.put("customers", customer("cus_9", NOON + DAY, "b@example.com"), "customer.created")
    zone.account.delete("customers", "cus_9", "customer.deleted")
    zone.wait(120)
    zone.done("customers")
    assert zone.landed("customers")[3:] == [
        {"id": "cus_1", "object": "customer", "deleted": True},
        {"id": "cus_9", "object": "customer", "deleted": True},
    ]
    zone.wait(DAY)
    assert zone.done("customers").records == 0
    zone.done("customers", rebuild=True)
    assert len(zone.landed("customers")) == 5


def test_movements_of_the_balance_are_read_again_for_two_weeks(zone: StripeZone) -> None:
    made = [
        balance_transaction(f"txn_{n}", NOON - n * DAY, 5, "usd", None, status="pending") for n in (20, 1)
    ]
    for one in made:
        zone.account.put("balance_transactions", one)
    zone.done("balance_transactions")
    zone.wait(DAY)
    for one in made:
        zone.account.put("balance_transactions", one | {"status": "available"})
    assert zone.done("balance_transactions").records == 1
    assert zone.landed("balance_transactions")[-1] == made[1] | {"status": "available"}
    assert zone.paths()[-1] == "balance_transactions" and "events" not in zone.paths()


def test_every_stream_lands_its_objects(zone: StripeZone) -> None:
    at, account = NOON - 3600, zone.account
    account.put("customers", customer("cus_1", at, "a@example.com"), "customer.created")
    account.put("payment_intents", payment_intent("pi_1", at, 5, "usd"), "payment_intent.succeeded")
    account.put("charges", charge("ch_1", at, 5, "usd"), "charge.succeeded")
    account.put("refunds", refund("re_1", at, 5, "usd", "ch_1"), "refund.created")
    account.put("disputes", dispute("dp_1", at, 5, "usd", "ch_1"), "charge.dispute.created")
    account.put("balance_transactions", balance_transaction("txn_1", at, 5, "usd", "ch_1"))
    account.put("payouts", payout("po_1", at, 5, "usd"), "payout.created")
    items = {"data": [{"id": "li_1", "quantity": 2}], "has_more": False}
    session = checkout_session("cs_1", at, 5, "usd", line_items=items)
    account.put("checkout/sessions", session, "checkout.session.completed")
    names = ["customers", "payment_intents", "charges", "refunds", "disputes"]
    names += ["balance_transactions", "payouts", "checkout_sessions", "events"]
    for extraction in zone.extract(*names):
        assert extraction.error is None and extraction.records == (
            7 if extraction.stream.table.name == "events" else 1
        )
    # It comes only where it is asked for.
    assert zone.landed("checkout_sessions") == [session]


def test_after_a_long_pause_the_whole_list_is_walked_and_that_is_said(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 250, end=NOON - 60 * DAY)
    zone.done()
    zone.wait(DAY)
    change(zone.account, ids[3], amount_refunded=1)
    zone.wait(40 * DAY)
    zone.account.put("charges", charge("ch_new", zone.clock[0] - 600, 1, "usd"), "charge.succeeded")
    extraction = zone.done()
    assert "the whole list is read again" in extraction.notes[0]
    assert ids[3] in zone.ids()[250:] and zone.ids()[-1] == "ch_new"
    assert zone.landed()[250 + 3]["amount_refunded"] == 1
    zone.wait(DAY)
    extraction = zone.done()
    assert extraction.records == 0 and not extraction.notes


def test_a_list_goes_on_behind_an_object_that_was_deleted(zone: StripeZone) -> None:
    for number in range(250):
        zone.account.put("customers", customer(f"cus_{number:03}", NOON - DAY + number, None))
    zone.account.change = lambda number, value: [] if len(zone.files("customers")) == 2 else value
    zone.error("customers")
    zone.account.change = lambda number, value: value
    zone.account.delete("customers", zone.ids("customers")[-1])
    zone.done("customers")
    assert zone.ids("customers") == [f"cus_{number:03}" for number in range(250)]


STORM = dict.fromkeys(range(1, 100), Fault(429))


def test_throttling_is_waited_out_at_random(zone: StripeZone, patient: Callable[[], list[float]]) -> None:
    add_charges(zone.account, 20)
    again = {"Stripe-Should-Retry": "true"}
    zone.account.faults = {
        1: Fault(429),
        2: Fault(409),
        3: Fault(500),
        4: Fault(400, again),
        5: Fault(429, {"Retry-After": "3"}),
    }
    extraction = zone.done()
    assert (extraction.traffic.requests, extraction.traffic.retries) == (6, 5)
    assert len(zone.ids()) == 20 and 3 in patient()
    assert all(0 <= seconds <= 0.5 * 2**attempt for attempt, seconds in enumerate(patient()[:4], 1))


def test_a_storm_ends(zone: StripeZone, patient: Callable[[], list[float]]) -> None:
    zone.account.faults = STORM
    assert "/v1/charges answered 429" in zone.error()
    assert len(zone.account.asked) == 9


def test_what_stripe_says_not_to_repeat_is_not(zone: StripeZone) -> None:
    zone.account.faults = {1: Fault(500, {"Stripe-Should-Retry": "false"})}
    assert "answered 500" in zone.error()
    assert len(zone.account.asked) == 1


@pytest.mark.parametrize(
    "fault", [Fault(200, body=b"<html>maintenance"), Fault(200, body=b'{"data": []}', cut=True)]
)
def test_an_answer_that_cannot_be_read_is_asked_for_again(
    zone: StripeZone, patient: Callable[[], list[float]], fault: Fault
) -> None:
    ids = add_charges(zone.account, 250)
    zone.account.faults = {1: fault, 3: fault, 9: fault}
    assert zone.done().traffic.retries == 3
    assert zone.ids() == ids


def without(name: str) -> Callable[[int, Any], Any]:
    return lambda number, value: {n: v for n, v in value.items() if n != name}


def first(**changes: Any) -> Callable[[int, Any], Any]:
    def change(number: int, value: Any) -> Any:
        return (
            value | {"data": [{**value["data"][0], **changes}, *value["data"][1:]]}
            if value["data"]
            else value
        )

    return change


WRONG: list[tuple[Any, str]] = [
    (lambda number, value: [], "the answer is no object but []"),
    (without("data"), "the answer has no list 'data' with 'has_more'"),
    (without("has_more"), "the answer has no list 'data' with 'has_more'"),
    (lambda number, value: value | {"data": [], "has_more": True}, "the page is empty, but promises more"),
    (first(created=None), "its cursor created is null"),
    (first(created="today"), "its cursor created is 'xxxxx', no time"),
    (lambda n, value: value | {"data": [{"id": "ch_1", "object": "charge"}]}, "a record has no 'created'"),
    (lambda n, value: value | {"data": [{"created": 1}]}, "a record has no 'id'"),
]


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_an_answer_that_would_lose_records_is_refused(zone: StripeZone, change: Any, told: str) -> None:
    add_charges(zone.account, 20)
    zone.account.change = change
    error = zone.error()
    assert error.startswith("stripe.charges, page 1: ") and told in error
    assert zone.files() == []


def test_a_list_that_never_ends_is_refused(zone: StripeZone) -> None:
    add_charges(zone.account, 250)
    newest = zone.account.objects("charges")[-1]
    zone.account.change = lambda number, value: value | {"has_more": True, "data": value["data"] or [newest]}
    told = zone.error()
    assert "it would never end" in told or "was due" in told
    assert len(zone.account.asked) < 60


def test_events_that_have_another_shape_are_refused(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 3)
    zone.done()
    zone.wait(DAY)
    change(zone.account, ids[0], amount_refunded=1)
    zone.wait(120)
    zone.account.change = lambda number, value: json.loads(
        json.dumps(value).replace('"data": {"object"', '"data": {"body"')
    )
    assert "has another shape (KeyError('object') is missing)" in zone.error()


def test_a_version_that_fell_forward_is_refused(zone: StripeZone) -> None:
    zone.account.served = "2027-04-28.fern"
    assert f"Stripe answered in version 2027-04-28.fern, {VERSION} was asked for" in zone.error()


def test_an_object_that_cannot_be_read_stops_the_stream(zone: StripeZone) -> None:
    ids = add_charges(zone.account, 3)
    zone.done()
    zone.wait(DAY)
    change(zone.account, ids[0], amount_refunded=1)
    zone.wait(120)
    zone.account.faults = {
        len(zone.account.asked) + 3: Fault(403, body=b'{"error": {"code": "more_permissions_required"}}')
    }
    told = zone.error()
    assert f"charges/{ids[0]} answered 403" in told and "the key may not read this" in told
    zone.done()
    assert zone.ids() == [*ids, ids[0]]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("pk_live_x", "STRIPE_API_KEY is no secret key: it begins with rk_, or with sk_"),
        (f"{KEY}\n", "STRIPE_API_KEY is no secret key"),
        ("sk_test_wrong", "answered 401"),
    ],
)
def test_a_wrong_key_is_refused(zone: StripeZone, key: str, told: str) -> None:
    zone.key = key
    error = zone.error()
    assert told in error and key not in error


def test_the_key_is_found_nowhere(zone: StripeZone, caplog: pytest.LogCaptureFixture) -> None:
    add_charges(zone.account, 10)
    with caplog.at_level(logging.DEBUG):
        zone.done()
        zone.account.faults = {
            len(zone.account.asked) + 1: Fault(401, body=f"Invalid API Key: {KEY}".encode())
        }
        told = zone.error()
    assert "Invalid API Key: ***" in told and "check the key in the settings" in told
    assert KEY not in caplog.text
    assert all(KEY not in file.read_text() for file in zone.landing.rglob("*.json"))
    assert all(KEY not in str(call._replace(headers={})) for call in zone.account.asked)


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_a_clock_that_is_wrong_by_a_day_misses_nothing(zone: StripeZone, skew: int) -> None:
    zone.clock[0] = int(time.time()) + skew
    ids = add_charges(zone.account, 10, end=zone.clock[0] - 3600)
    zone.done()
    zone.wait(10)
    change(zone.account, ids[0], amount_refunded=1)
    zone.wait(120)
    zone.done()
    assert zone.ids() == [*ids, ids[0]]


def test_the_rate_is_kept() -> None:
    now, sent = [0.0], []
    bucket = Bucket(20, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    for _ in range(100):
        bucket.take()
        sent.append(now[0])
    # As many at once as in a second, then evenly.
    assert sent[19] == 0 and sent[99] == pytest.approx(4)
    now[0] += 100
    bucket.take()
    assert now[0] == pytest.approx(104)
