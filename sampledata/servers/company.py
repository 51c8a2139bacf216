"""The online business as its shop, its payment service and its other payments hold it, for their servers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sampledata.company import Company, systems
from sampledata.company.assortment import WAREHOUSES
from sampledata.company.stripe import stripe_objects
from sampledata.servers import rest
from sampledata.servers import stripe_objects as makers
from sampledata.servers.shopify import Shop, objects
from sampledata.servers.stripe import Account

# What makes the objects of a list.
_MAKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "balance_transactions": makers.balance_transaction,
    "charges": makers.charge,
    "checkout/sessions": makers.checkout_session,
    "customers": makers.customer,
    "disputes": makers.dispute,
    "payment_intents": makers.payment_intent,
    "payouts": makers.payout,
    "refunds": makers.refund,
}


def fill_shop(shop: Shop, company: Company, since: datetime) -> None:
    """Tell the shop of a delivery: of orders, those that were placed `since` a time."""
    for fields in systems.shop_products(company):
        variants = [objects.variant(**variant) for variant in fields.pop("variants")]
        shop.put("products", objects.product(**fields, variants=variants))
    for fields in systems.shop_customers(company):
        address = objects.Address(**fields.pop("address"))
        shop.put("customers", objects.customer(**fields, address=address))
    for fields in systems.shop_orders(company, since):
        shop.put("orders", _order(fields))
    levels = [objects.level(**fields) for fields in systems.shop_levels(company)]
    for warehouse in WAREHOUSES:
        own = [level for level in levels if f"InventoryLevel/{warehouse.id}?" in level["id"]]
        shop.put("locations", objects.location(warehouse.id, warehouse.city.name, own))


def fill_account(account: Account, company: Company, since: datetime) -> None:
    """Tell the account at Stripe of a delivery: customers, and payments since a time with what is of them."""
    for path, fields in stripe_objects(company, since):
        account.put(path, _MAKERS[path](**fields))


def fill_transactions(api: rest.Api, company: Company, since: datetime) -> None:
    """Tell the transactions API of a delivery: of payments since a time."""
    known = {row["id"]: row for row in api.rows}
    api.rows = [*(known | {row["id"]: row for row in systems.transactions(company, since)}).values()]


def _order(fields: dict[str, Any]) -> dict[str, Any]:
    """An order of the API, after it was shipped and after what came back."""
    placed = dict(fields["order"])
    currency = objects.Currency(**placed.pop("currency"))
    order = objects.Order(
        **placed
        | {
            "lines": [objects.Line(**line) for line in placed["lines"]],
            "address": objects.Address(**placed["address"]),
            "currency": currency,
        }
    ).object()
    if fields["shipped"]:
        order = objects.ship(order, **fields["shipped"])
    for returned in fields["returns"]:
        order = objects.refund(order, **returned, currency=currency)
    return order
