"""Sample data goes to a test account once, and nowhere else; Stripe's own mock takes each request."""

import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingestion.connectors.stream import ExtractError
from sampledata.company import Company
from sampledata.push import Item, PushError, push
from sampledata.push.stripe import StripeAccount, items
from sampledata.sampling import Streams
from sampledata.servers import Fault, serve
from sampledata.servers.stripe import Account
from tests.python import PROJECT
from tests.python.lakehouse.conftest import Lakehouse
from tests.python.sleep import replace_sleep

KEY = "sk_test_canary77"
KINDS = ["customers", "products", "prices", "payment_intents"]
MOCK = shutil.which("stripe-mock", path=f"{PROJECT / '.cache' / 'bin'}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account on loopback limits the rate."""
    monkeypatch.setattr("ingestion.connectors.stripe_client.RATE", 10_000)


@pytest.fixture(scope="module")
def sent() -> list[Item]:
    """A few customers and products of the smallest business, and the first payments of these customers."""
    by_kind: dict[str, list[Item]] = {kind: [] for kind in KINDS}
    for item in items(Company(Streams(0), 0.001, 1)):
        by_kind[item.kind].append(item)
    buyers = {
        item.fields["customer"].name for item in by_kind["payment_intents"] if "customer" in item.fields
    }
    customers = [item for item in by_kind["customers"] if item.name in buyers][:12]
    known = {customer.name for customer in customers}
    products = by_kind["products"][:6]
    prices = [item for item in by_kind["prices"] if item.fields["product"].name in {p.name for p in products}]
    payments = [
        item for item in by_kind["payment_intents"]
        if "customer" not in item.fields or item.fields["customer"].name in known
    ]  # fmt: skip
    return [*customers, *products, *prices, *payments[:25]]


@pytest.fixture
def account() -> Iterator[Account]:
    """An empty test account on loopback."""
    yield Account(KEY)


def settings(url: str, key: str = KEY) -> dict[str, SecretStr]:
    return {"STRIPE_API_URL": SecretStr(url), "STRIPE_API_KEY": SecretStr(key)}


def counts(account: Account) -> dict[str, int]:
    return {kind: len(account.objects(kind)) for kind in KINDS}


def expected(sent: list[Item]) -> dict[str, int]:
    return dict(Counter(item.kind for item in sent))


def test_a_second_push_creates_nothing(sent: list[Item], account: Account) -> None:
    with serve(account) as url:
        first = push(sent, StripeAccount(settings(url), 0))
        assert {p.kind: (p.created, p.known) for p in first} == {k: (n, 0) for k, n in expected(sent).items()}
        # As after days, when Stripe has forgotten the keys of the requests.
        account._created.clear()
        second = push(sent, StripeAccount(settings(url), 0))
        assert {p.kind: (p.created, p.known) for p in second} == {
            k: (0, n) for k, n in expected(sent).items()
        }
        assert counts(account) == expected(sent)
        customers = {made["id"]: made["email"] for made in account.objects("customers")}
        paid = [item for item in sent if item.kind == "payment_intents"]
        for payment, item in zip(account.objects("payment_intents"), paid, strict=True):
            assert payment["amount"] == item.fields["amount"]
            assert payment["metadata"].get("order_name") == item.fields["metadata"].get("order_name")
            if "customer" in item.fields:
                assert customers[payment["customer"]].lower() == item.fields["receipt_email"].lower()
        # Another seed is another business.
        push([Item("customers", sent[0].name, {"name": "x"})], StripeAccount(settings(url), 1))
        assert len(account.objects("customers")) == len(customers) + 1


def test_a_push_that_is_stopped_goes_on(sent: list[Item], account: Account) -> None:
    with serve(account) as url:
        for stop in (5, 15, 20):
            account.faults = {len(account.asked) + stop: Fault(402)}
            with pytest.raises(ExtractError, match="answered 402"):
                push(sent, StripeAccount(settings(url), 0))
        push(sent, StripeAccount(settings(url), 0))
    assert counts(account) == expected(sent)


def test_a_request_whose_answer_got_lost_creates_nothing_twice(
    sent: list[Item], account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_sleep(monkeypatch, lambda seconds: None)
    with serve(account) as url:
        original, lost = account.answer, iter([False, True, True] * 1000)
        account.answer = lambda call: (  # type: ignore[method-assign]
            Fault(200, {"Date": account._date()}, b"{}x", cut=True)
            if original(call) and next(lost)
            else original(call)
        )
        push([item for item in sent if item.kind == "customers"], StripeAccount(settings(url), 0))
    assert len(account.objects("customers")) == expected(sent)["customers"]


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "pk_test_x", "", "sk_test_", "x sk_test_x"])
def test_a_key_that_is_none_for_tests_is_refused(key: str) -> None:
    with pytest.raises(PushError, match="no key of a test account"):
        StripeAccount(settings("http://127.0.0.1:1", key), 0)


def test_an_answer_in_live_mode_stops_the_push(sent: list[Item], account: Account) -> None:
    account.livemode = True
    with serve(account) as url:
        with pytest.raises(PushError, match=r"customer cus_.* is real"):
            push(sent, StripeAccount(settings(url), 0))
        assert len(account.objects("customers")) == 1
        with pytest.raises(PushError, match="is real"):
            push(sent, StripeAccount(settings(url), 0))
        # It was seen before anything was sent.
        assert len(account.objects("customers")) == 1


def test_the_command(account: Account, tmp_path: Path) -> None:
    command = ("generate", "--push", "stripe", "--scale", "0.001")
    with serve(account) as url:
        lakehouse = Lakehouse(tmp_path, {"STRIPE_API_URL": url, "STRIPE_API_KEY": KEY})
        output = lakehouse.run(*command)
        assert f"customers: {len(account.objects('customers'))} created, 0 were there." in output
        assert KEY not in output
        assert "Give --out to write files, or --push" in lakehouse.run("generate", exit_code=2)
        lakehouse.settings["STRIPE_API_KEY"] = "sk_live_canary"
        asked = len(account.asked)
        output = lakehouse.run(*command, exit_code=2)
        assert "STRIPE_API_KEY is no key of a test account" in output and "canary" not in output
        assert len(account.asked) == asked


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Stripe's mock, which refuses requests that its API would not take."""
    if MOCK is None:
        pytest.skip("there is no stripe-mock: `python -m tools.install stripe-mock` builds it with Go")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    addresses = [f"127.0.0.1:{port}" for port in ports]
    log = (tmp_path_factory.mktemp("mock") / "log").open("wb")
    process = subprocess.Popen(
        [MOCK, "-http-addr", addresses[0], "-https-addr", addresses[1]], stdout=log, stderr=log
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", ports[0])) == 0:
                    break
            time.sleep(0.1)
        yield f"http://{addresses[0]}"
    finally:
        process.terminate()
        process.wait(10)
        log.close()


def test_stripe_takes_what_is_sent(mock: str, sent: list[Item]) -> None:
    few = [item for item in sent if item.kind != "payment_intents"]
    # The mock keeps nothing and answers with another id each time.
    account = StripeAccount(settings(mock, "sk_test_123"), 0)
    done = push(few, account)
    assert {p.kind: p.created for p in done} == expected(few)
    paid = next(item for item in sent if item.kind == "payment_intents")
    assert account.create(Item(paid.kind, paid.name, {**paid.fields, "customer": "cus_1"})).startswith("pi_")


def test_stripe_refuses_what_it_does_not_know(mock: str) -> None:
    account = StripeAccount(settings(mock, "sk_test_123"), 0)
    with pytest.raises(ExtractError, match="answered 400"):
        account.create(Item("customers", "x", {"e_mail": "a@example.com"}))
