"""Customers, products and orders to a development store at Shopify."""

import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.shopify.api import Api
from ingestion.connectors.stream import ExtractError, Traffic
from sampledata.company import Company
from sampledata.company.model import ZERO, Order, Person, Product
from sampledata.places import STATE_CODES
from sampledata.push import Item, PushError, Ref

SETTINGS = ("SHOPIFY_SHOP", "SHOPIFY_ACCESS_TOKEN", "SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET")

# Until an order that was made is found by its tags.
SECONDS_UNTIL_FOUND = 10.0

_ATTEMPTS = 4
_LOGINS = ("SHOPIFY_ACCESS_TOKEN", "SHOPIFY_CLIENT_ID")
_TAX_RATE = "0.0625"

_LIST = """
query Pushed($after: String, $tagged: String!) {
  shop { plan { partnerDevelopment } }
  objects: %s(first: 250, after: $after, query: $tagged) {
    nodes { id tags }
    pageInfo { hasNextPage endCursor }
  }
}
"""
LISTS = {kind: _LIST % kind for kind in ("customers", "products", "orders")}
# A customer is the one with that address, and a product the one with that handle: again changes nothing.
# Nothing tells Shopify that an order was sent before.
CHANGES = {
    "customers": """
mutation Customer($email: String!, $input: CustomerSetInput!) {
  made: customerSet(identifier: { email: $email }, input: $input) {
    object: customer { id }
    userErrors { field message }
  }
}
""",
    "products": """
mutation Product($handle: String!, $input: ProductSetInput!) {
  made: productSet(identifier: { handle: $handle }, input: $input, synchronous: true) {
    object: product { id }
    userErrors { field message }
  }
}
""",
    "orders": """
mutation Order($input: OrderCreateOrderInput!) {
  made: orderCreate(order: $input, options: { inventoryBehaviour: BYPASS, sendReceipt: false }) {
    object: order { id }
    userErrors { field message }
  }
}
""",
}

Fields = dict[str, Any]


def items(company: Company) -> Iterator[Item]:
    """What the shop knows of the online business, in the order in which it can be made."""
    for person in company.people:
        yield Item("customers", str(person.number), _customer(person))
    for product in company.assortment.products:
        yield Item("products", str(product.number), _product(product, company))
    for order in company.orders():
        if not order.is_test:
            yield Item("orders", str(order.number), _order(order))


def _customer(person: Person) -> Fields:
    name = {"firstName": person.first_name, "lastName": person.last_name}
    return name | {"email": person.email, "phone": person.phone}


def _product(product: Product, company: Company) -> Fields:
    titles = [variant.title for variant in product.variants]
    return {
        "title": product.title, "productType": product.category, "status": "ACTIVE",
        "giftCard": product.is_gift_card,
        "productOptions": [{"name": "Title", "values": [{"name": title} for title in titles]}],
        "variants": [
            {
                "optionValues": [{"optionName": "Title", "name": variant.title}],
                "price": str(variant.price), "sku": variant.sku_at(company.end) or "",
            }
            for variant in product.variants
        ],
    }  # fmt: skip


def _order(order: Order) -> Fields:
    discount = sum((line.discount for line in order.lines), ZERO)
    tax = sum((line.tax for line in order.lines), ZERO)
    fields: Fields = {
        "email": order.email, "currency": "USD", "processedAt": f"{order.placed_at:%Y-%m-%dT%H:%M:%SZ}",
        "lineItems": [
            {
                "productId": Ref("products", str(line.article.product.number)),
                "title": line.article.product.title, "variantTitle": line.article.variant.title,
                "sku": line.sku or "", "quantity": line.quantity, "priceSet": _dollars(line.price),
            }
            for line in order.lines
        ],
        "shippingAddress": _address(order.person),
        "shippingLines": [{"title": "Standard", "priceSet": _dollars(order.shipping)}],
        "taxLines": [{"title": "State tax", "rate": _TAX_RATE, "priceSet": _dollars(tax)}],
    }  # fmt: skip
    if discount:
        fields["discountCode"] = {"itemFixedDiscountCode": {"code": "TEN", "amountSet": _dollars(discount)}}
    if not order.is_guest:
        fields["customer"] = {"toAssociate": {"id": Ref("customers", str(order.person.number))}}
    if order.payment:
        fields["transactions"] = [
            {
                "kind": "SALE", "status": "SUCCESS", "gateway": order.payment.provider,
                "amountSet": _dollars(order.total), "processedAt": fields["processedAt"],
            }
        ]  # fmt: skip
    return fields


def _address(person: Person) -> Fields:
    return {
        "firstName": person.first_name, "lastName": person.last_name, "address1": person.street,
        "city": person.city.name, "provinceCode": STATE_CODES[person.city.state], "zip": person.postal_code,
        "countryCode": "US",
    }  # fmt: skip


def _dollars(amount: Decimal) -> Fields:
    return {"shopMoney": {"amount": str(amount), "currencyCode": "USD"}}


class ShopifyAccount:
    """A development store, by the connector's settings; one seed of it. Objects are known by their tags.

    Its app needs to write customers, products and orders besides reading them. A development store takes
    five new orders a minute.

    Raises:
        PushError: settings are missing, or it is no development store.
    """

    def __init__(self, settings: Mapping[str, SecretStr], seed: int) -> None:
        if "SHOPIFY_SHOP" not in settings or not any(name in settings for name in _LOGINS):
            raise PushError(
                f"--push shopify needs SHOPIFY_SHOP, and {' or '.join(_LOGINS)}: see .env.example"
            )
        self._api = Api(settings, Traffic())
        # An order whose answer got lost may be there.
        self._once = Api(settings, Traffic(), repeats=False)
        self._seed = f"lakehouse-{seed}"

    def known(self, kind: str) -> dict[str, str]:
        """Ids of what was pushed before, by the names of the items."""
        return dict(self._tagged(kind, self._seed))

    def create(self, item: Item) -> str:
        """Make an item, once for what it is; its id."""
        tags = [self._seed, self._tag(item.name)]
        input = {**item.fields, "tags": tags}
        match item.kind:
            case "customers":
                return self._make(self._api, item, {"email": input["email"], "input": input})
            case "products":
                return self._make(self._api, item, {"handle": self._tag(item.name), "input": input})
            case _:
                return self._make_once(item, {"input": input})

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._once.close()

    def _make_once(self, item: Item, variables: Fields) -> str:
        """Make what Shopify would make again: after a lost answer it is looked for first."""
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._make(self._once, item, variables)
            except ExtractError:
                time.sleep(SECONDS_UNTIL_FOUND)
                if made := dict(self._tagged(item.kind, self._tag(item.name))).get(item.name):
                    return made
                if attempts == _ATTEMPTS:
                    raise

    def _make(self, api: Api, item: Item, variables: Fields) -> str:
        made = api.ask(CHANGES[item.kind], variables).data["made"]
        if made["userErrors"]:
            told = "; ".join(f"{error['field']}: {error['message']}" for error in made["userErrors"])
            raise PushError(f"Shopify takes number {item.name} of {item.kind} not: {told}")
        return str(made["object"]["id"])

    def _tag(self, name: str) -> str:
        return f"{self._seed}-{name}"

    def _tagged(self, kind: str, tag: str) -> Iterator[tuple[str, str]]:
        """Names and ids of what bears a tag."""
        variables: Fields = {"tagged": f"tag:'{tag}'"}
        while True:
            data = self._api.ask(LISTS[kind], variables).data
            if not data["shop"]["plan"]["partnerDevelopment"]:
                raise PushError(
                    "SHOPIFY_SHOP is no development store: sample data goes nowhere else. Make one in "
                    "Shopify's dashboard for developers"
                )
            for found in data["objects"]["nodes"]:
                for own in found["tags"]:
                    if own.startswith(f"{self._seed}-"):
                        yield own.removeprefix(f"{self._seed}-"), found["id"]
            page = data["objects"]["pageInfo"]
            if not page["hasNextPage"]:
                return
            variables["after"] = page["endCursor"]
