"""Sample data goes to a test account once, and nowhere else; Stripe's own mock takes each request."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingestion.connectors.stream import ExtractError
from sampledata.push import Item, PushError, push
from sampledata.push.shop import Shop
from sampledata.push.stripe import StripeAccount, items
from sampledata.servers import Fault, serve
from sampledata.servers.stripe import Account
from tests.python import PROJECT
from tests.python.lakehouse.conftest import Lakehouse

KEY = "sk_test_canary77"
KINDS = ["customers", "products", "prices", "payment_intents"]
MOCK = shutil.which("stripe-mock", path=f"{PROJECT / '.cache' / 'bin'}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account on loopback limits the rate."""
    monkeypatch.setattr("ingestion.connectors.stripe_client.RATE", 10_000)


@pytest.fixture(scope="module")
def shop() -> Shop:
    """The smallest shop, with its first orders."""
    found = Shop.of(0.001, 0)
    return Shop(found.seed, found.customers[:12], found.products, found.orders[:0] + [
        order for order in found.orders if order.customer in found.customers[:12]
    ][:25])  # fmt: skip


@pytest.fixture
def account() -> Iterator[Account]:
    """An empty test account on loopback."""
    yield Account(KEY)


def settings(url: str, key: str = KEY) -> dict[str, SecretStr]:
    return {"STRIPE_API_URL": SecretStr(url), "STRIPE_API_KEY": SecretStr(key)}


def counts(account: Account) -> dict[str, int]:
    return {kind: len(account.objects(kind)) for kind in KINDS}


def expected(shop: Shop) -> dict[str, int]:
    return dict(zip(KINDS, [len(shop.customers), *[len(shop.products)] * 2, len(shop.orders)], strict=True))


def test_the_same_seed_gives_the_same_shop(shop: Shop) -> None:
    assert Shop.of(0.001, 0) == Shop.of(0.001, 0) != Shop.of(0.001, 1)
    assert all(
        order.amount == sum(n.product.price * n.quantity for n in order.lines) for order in shop.orders
    )
    assert len({item.name for item in items(shop) if item.kind == "products"}) == len(shop.products)


def test_a_second_push_creates_nothing(shop: Shop, account: Account) -> None:
    with serve(account) as url:
        first = push(items(shop), StripeAccount(settings(url), 0))
        assert {p.kind: (p.created, p.known) for p in first} == {k: (n, 0) for k, n in expected(shop).items()}
        # As after days, when Stripe has forgotten the keys of the requests.
        account._created.clear()
        second = push(items(shop), StripeAccount(settings(url), 0))
        assert {p.kind: (p.created, p.known) for p in second} == {
            k: (0, n) for k, n in expected(shop).items()
        }
        assert counts(account) == expected(shop)
        payment, order = account.objects("payment_intents")[0], shop.orders[0]
        assert payment["amount"] == order.amount and payment["metadata"]["order_id"] == order.id
        customers = {made["id"]: made["email"] for made in account.objects("customers")}
        assert customers[payment["customer"]] == order.customer.email
        # Another seed is another shop.
        push([Item("customers", shop.customers[0].id, {"name": "x"})], StripeAccount(settings(url), 1))
        assert len(account.objects("customers")) == len(shop.customers) + 1


def test_a_push_that_is_stopped_goes_on(shop: Shop, account: Account) -> None:
    with serve(account) as url:
        for stop in (5, 40, 90):
            account.faults = {len(account.asked) + stop: Fault(402)}
            with pytest.raises(ExtractError, match="answered 402"):
                push(items(shop), StripeAccount(settings(url), 0))
        push(items(shop), StripeAccount(settings(url), 0))
    assert counts(account) == expected(shop)


def test_a_request_whose_answer_got_lost_creates_nothing_twice(
    shop: Shop, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with serve(account) as url:
        original, lost = account.answer, iter([False, True, True] * 1000)
        account.answer = lambda call: (  # type: ignore[method-assign]
            Fault(200, {"Date": account._date()}, b"{}x", cut=True)
            if original(call) and next(lost)
            else original(call)
        )
        push([item for item in items(shop) if item.kind == "customers"], StripeAccount(settings(url), 0))
    assert len(account.objects("customers")) == len(shop.customers)


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "pk_test_x", "", "sk_test_", "x sk_test_x"])
def test_a_key_that_is_none_for_tests_is_refused(key: str) -> None:
    with pytest.raises(PushError, match="no key of a test account"):
        StripeAccount(settings("http://127.0.0.1:1", key), 0)


def test_an_answer_in_live_mode_stops_the_push(shop: Shop, account: Account) -> None:
    account.livemode = True
    with serve(account) as url:
        with pytest.raises(PushError, match=r"customer cus_.* is real"):
            push(items(shop), StripeAccount(settings(url), 0))
        assert len(account.objects("customers")) == 1
        with pytest.raises(PushError, match="is real"):
            push(items(shop), StripeAccount(settings(url), 0))
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


def test_stripe_takes_what_is_sent(mock: str, shop: Shop) -> None:
    few = Shop(0, shop.customers[:2], shop.products[:2], [])
    # The mock keeps nothing and answers with another id each time.
    account = StripeAccount(settings(mock, "sk_test_123"), 0)
    done = push(items(few), account)
    assert [(p.kind, p.created) for p in done] == [("customers", 2), ("products", 2), ("prices", 2)]
    paid = next(item for item in items(shop) if item.kind == "payment_intents")
    assert account.create(Item(paid.kind, paid.name, {**paid.fields, "customer": "cus_1"})).startswith("pi_")


def test_stripe_refuses_what_it_does_not_know(mock: str) -> None:
    account = StripeAccount(settings(mock, "sk_test_123"), 0)
    with pytest.raises(ExtractError, match="answered 400"):
        account.create(Item("customers", "x", {"e_mail": "a@example.com"}))
