"""Customers, products, prices and payments to a test account at Stripe."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from ingestion.connectors.stream import Traffic
from ingestion.connectors.stripe_client import Object, StripeClient
from sampledata.push import Item, PushError, Ref
from sampledata.push.shop import Shop

_TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
# Where an object says which item it is.
_SEED, _NAME = "lakehouse_seed", "lakehouse_id"


def items(shop: Shop) -> Iterator[Item]:
    """What Stripe knows of a shop, in the order in which it can be created."""
    for customer in shop.customers:
        yield Item("customers", customer.id, {"name": customer.name, "email": customer.email})
    for product in shop.products:
        yield Item("products", product.id, {"name": product.id})
    for product in shop.products:
        price = {"currency": "usd", "unit_amount": product.price, "product": Ref("products", product.id)}
        yield Item("prices", product.id, price)
    for order in shop.orders:
        paid = {
            "amount": order.amount, "currency": "usd", "customer": Ref("customers", order.customer.id),
            "description": f"Order {order.id}", "metadata": {"order_id": order.id},
            "payment_method": "pm_card_visa", "confirm": "true",
            "automatic_payment_methods": {"enabled": "true", "allow_redirects": "never"},
        }  # fmt: skip
        yield Item("payment_intents", order.id, paid)


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
