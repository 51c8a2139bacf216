"""Sample data goes to a development store once, and nowhere else."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingestion.connectors.stream import ExtractError
from sampledata.company import Company
from sampledata.push import Item, PushError, push
from sampledata.push.shopify import ShopifyAccount, items
from sampledata.sampling import Streams
from sampledata.servers import Fault
from sampledata.servers.shopify import CUT_OFF, SCOPES, Answers, Server, Shop, serve
from sampledata.servers.shopify.cost import Bucket
from tests.python.lakehouse.conftest import Lakehouse

TOKEN = "shpat_canary88"
WRITES = ("write_customers", "write_products", "write_orders")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made on loopback is found at once."""
    monkeypatch.setattr("sampledata.push.shopify.SECONDS_UNTIL_FOUND", 0.0)
    monkeypatch.setattr("ingestion.connectors.http.wait", lambda traffic, seconds: None)


@pytest.fixture(scope="module")
def sent() -> list[Item]:
    """The products, a few orders of the smallest business, and their customers."""
    by_kind: dict[str, list[Item]] = {"customers": [], "products": [], "orders": []}
    for item in items(Company(Streams(0), 0.001, 1)):
        by_kind[item.kind].append(item)
    orders = by_kind["orders"][:12]
    buyers = {o.fields["customer"]["toAssociate"]["id"].name for o in orders if "customer" in o.fields}
    customers = [item for item in by_kind["customers"] if item.name in buyers]
    return [*customers, *by_kind["products"], *orders]


@pytest.fixture
def server() -> Iterator[Server]:
    """An empty development store on loopback."""
    shop = Shop(is_for_development=True)
    answers = Answers(shop, {*SCOPES, *WRITES})
    with serve(Server(answers, token=TOKEN, bucket=Bucket(100_000, 10_000))) as server:
        yield server


def account(server: Server, seed: int = 0) -> ShopifyAccount:
    settings = {"SHOPIFY_SHOP": SecretStr(server.url), "SHOPIFY_ACCESS_TOKEN": SecretStr(TOKEN)}
    return ShopifyAccount(settings, seed)


def made(server: Server) -> dict[str, int]:
    shop = server.answers.shop
    return {kind: len(shop.since(kind, ("", -1))) for kind in ("customers", "products", "orders")}


def expected(sent: list[Item]) -> dict[str, int]:
    return dict(Counter(item.kind for item in sent))


def test_a_second_push_makes_nothing(sent: list[Item], server: Server) -> None:
    first = push(sent, account(server))
    assert {p.kind: (p.created, p.known) for p in first} == {k: (n, 0) for k, n in expected(sent).items()}
    second = push(sent, account(server))
    assert {p.kind: (p.created, p.known) for p in second} == {k: (0, n) for k, n in expected(sent).items()}
    assert made(server) == expected(sent)
    # Another seed is another business.
    push([item for item in sent if item.kind == "products"], account(server, seed=1))
    assert made(server)["products"] == 2 * expected(sent)["products"]


def test_orders_have_the_total_and_the_customer_of_the_business(sent: list[Item], server: Server) -> None:
    push(sent, account(server))
    orders = {order.number: order for order in Company(Streams(0), 0.001, 1).orders()}
    for found in server.answers.shop.since("orders", ("", -1)):
        (name,) = (tag.rpartition("-")[2] for tag in found["tags"] if tag.count("-") == 2)
        order = orders[int(name)]
        assert Decimal(found["totalPriceSet"]["shopMoney"]["amount"]) == order.total
        assert datetime.fromisoformat(found["processedAt"]) == order.placed_at.replace(tzinfo=UTC)
        assert (found["customer"] is None) == order.is_guest
        assert found["email"] == order.email


@pytest.mark.parametrize(
    "fault", [CUT_OFF, Fault(503), Fault(200, body=b"{}x")], ids=["cut", "503", "no JSON"]
)
def test_what_got_no_answer_is_made_once(sent: list[Item], server: Server, fault: Fault) -> None:
    server.fault = lambda number: fault if number % 3 == 0 else None
    push(sent, account(server))
    assert made(server) == expected(sent)


def test_a_push_that_is_stopped_goes_on(sent: list[Item], server: Server) -> None:
    for stop in (5, 12):
        begin = len(server.asked)
        server.fault = lambda number, last=begin + stop: Fault(402) if number >= last else None
        with pytest.raises(ExtractError, match="answered 402"):
            push(sent, account(server))
    server.fault = lambda number: None
    push(sent, account(server))
    assert made(server) == expected(sent)


def test_what_shopify_refuses_is_named(sent: list[Item], server: Server) -> None:
    product = next(item for item in sent if item.kind == "products")
    order = next(item for item in sent if item.kind == "orders")
    lines = [line | {"productId": "gid://shopify/Product/404"} for line in order.fields["lineItems"]]
    broken = Item("orders", order.name, {**order.fields, "lineItems": lines, "customer": {}})
    with pytest.raises(PushError, match=f"number {order.name} of orders not: .*Product/404 does not exist"):
        push([product, broken], account(server))
    server.answers.scopes -= {"write_products"}
    with pytest.raises(ExtractError, match="Required access: `write_products`"):
        push([Item("products", "new", product.fields)], account(server))


def test_a_store_that_sells_is_refused(sent: list[Item], server: Server) -> None:
    server.answers.shop.shop["plan"] = {"partnerDevelopment": False}
    with pytest.raises(PushError, match="no development store"):
        push(sent, account(server))
    assert made(server) == {"customers": 0, "products": 0, "orders": 0}


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(PushError, match=r"SHOPIFY_SHOP, and SHOPIFY_ACCESS_TOKEN or SHOPIFY_CLIENT_ID"):
        ShopifyAccount({"SHOPIFY_SHOP": SecretStr("shop")}, 0)


def test_the_command_and_what_it_made_is_extracted(server: Server, tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path, {"SHOPIFY_SHOP": server.url, "SHOPIFY_ACCESS_TOKEN": TOKEN})
    output = lakehouse.run("generate", "--push", "shopify", "--scale", "0.001")
    counts = made(server)
    assert f"orders: {counts['orders']:,} created, 0 were there." in output
    assert "canary" not in output
    lakehouse.landing.mkdir(parents=True)
    lakehouse.run("extract", "shopify")
    lakehouse.run("load", "--source", "shopify")
    assert lakehouse.value("select count(*) from bronze.shopify_orders") == counts["orders"] > 20
