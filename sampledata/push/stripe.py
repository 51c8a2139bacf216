"""Customers, products, prices and payments to a test account at Stripe."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.stream import Traffic
from ingestion.connectors.stripe_client import Object, StripeClient
from sampledata.company import Company
from sampledata.company.model import Order, Payment
from sampledata.company.orders import in_least_units
from sampledata.push import Item, PushError, Ref

SETTINGS = ("STRIPE_API_KEY", "STRIPE_API_URL")

_TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
# Where an object says which item it is.
_SEED, _NAME = "lakehouse_seed", "lakehouse_id"


def items(company: Company) -> Iterator[Item]:
    """What Stripe knows of the online business, in the order in which it can be created."""
    for person in company.people:
        name = f"{person.first_name} {person.last_name}"
        yield Item("customers", str(person.number), {"name": name, "email": person.email})
    for product in company.assortment.products:
        yield Item("products", str(product.number), {"name": product.title})
    for product, variant in company.assortment.articles:
        price = {"currency": "usd", "unit_amount": in_least_units(variant.price, "USD")}
        yield Item("prices", str(variant.number), price | {"product": Ref("products", str(product.number))})
    for order in company.orders():
        if order.payment and order.payment.provider == "stripe":
            yield Item("payment_intents", order.payment.id, _payment(order, order.payment))


def _payment(order: Order, payment: Payment) -> dict[str, Any]:
    known = {} if order.is_guest else {"customer": Ref("customers", str(order.person.number))}
    return known | {
        "amount": in_least_units(payment.amount, payment.currency), "currency": payment.currency.lower(),
        "description": f"Order {order.name}", "receipt_email": payment.email,
        "metadata": {"order_name": payment.reference} if payment.reference else {},
        "payment_method": "pm_card_visa", "confirm": "true",
        "automatic_payment_methods": {"enabled": "true", "allow_redirects": "never"},
    }  # fmt: skip


class StripeAccount:
    """A test account, by the settings STRIPE_API_KEY and STRIPE_API_URL; one seed of it.

    Raises:
        PushError: the key is none of a test account.
    """

    def __init__(self, settings: Mapping[str, SecretStr], seed: int) -> None:
        key = settings.get("STRIPE_API_KEY", SecretStr("")).get_secret_value()
        if not _TEST_KEY.fullmatch(key):
            raise PushError(
                "STRIPE_API_KEY is no key of a test account: sample data goes only where keys begin with "
                "sk_test_ or rk_test_"
            )
        self._client, self._seed = StripeClient(settings, Traffic()), str(seed)

    def known(self, kind: str) -> dict[str, str]:
        """Ids of what was pushed before, by the names of the items."""
        ids: dict[str, str] = {}
        sent: dict[str, str] = {}
        while True:
            listed = self._client.list(kind, sent)
            for found in map(_for_tests, listed.objects):
                noted = found.get("metadata") or {}
                if noted.get(_SEED) == self._seed and _NAME in noted:
                    ids[noted[_NAME]] = found["id"]
            if not listed.has_more:
                return ids
            if sent.get("starting_after") == (last := listed.objects[-1]["id"]):
                raise PushError(f"{kind}: the list would never end. Try again later")
            sent = {"starting_after": last}

    def create(self, item: Item) -> str:
        """Create an item, once for what it is; its id."""
        noted = {**item.fields.get("metadata", {}), _SEED: self._seed, _NAME: item.name}
        form = dict(_flat({**item.fields, "metadata": noted}))
        key = hashlib.sha256(json.dumps([self._seed, item.kind, form]).encode()).hexdigest()
        return str(_for_tests(self._client.post(item.kind, form, key))["id"])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _for_tests(found: Object) -> Object:
    """An object of a test account.

    Raises:
        PushError: it is of another one, or does not say.
    """
    if found.get("livemode") is not False:
        raise PushError(
            f"{found.get('object')} {found.get('id')} is real: nothing is pushed to an account in live mode. "
            "Set STRIPE_API_KEY to a key of a test account"
        )
    return found


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested fields as a form names them: `metadata[order_id]`."""
    for name, value in fields.items():
        path = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, str(value)
