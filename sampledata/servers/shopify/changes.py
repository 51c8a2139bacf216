"""Mutations of the Admin API: customers and products are set, orders are made."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sampledata.servers.shopify import objects
from sampledata.servers.shopify.shop import Object, Shop, number_of

Fields = Mapping[str, Any]


def change(shop: Shop, name: str, arguments: Fields) -> Object:
    """What a mutation answers, after doing its work."""
    match name:
        case "customerSet":
            email = arguments["identifier"]["email"].lower()
            make = partial(_customer, arguments["input"])
            return _set(shop, "customer", make, lambda known: _email(known) == email)
        case "productSet":
            handle = arguments["identifier"]["handle"]
            make = partial(_product, arguments["input"], handle)
            return _set(shop, "product", make, lambda known: known["handle"] == handle)
    return _made(shop, "order", _order(shop, arguments["order"]))


def _set(shop: Shop, kind: str, make: Callable[[int], Object], is_it: Callable[[Object], bool]) -> Object:
    """Make an object with the number of the one that it is, else with a new one."""
    known = next((value for value in shop.since(f"{kind}s", ("", -1)) if is_it(value)), None)
    number = number_of(known["id"]) if known else _next(shop, f"{kind}s")
    return _made(shop, kind, make(number))


def _made(shop: Shop, kind: str, made: Object | str) -> Object:
    if isinstance(made, str):
        return {kind: None, "userErrors": [{"field": [kind], "message": made}]}
    shop.put(f"{kind}s", made)
    return {kind: made, "userErrors": []}


def _customer(given: Fields, number: int) -> Object:
    names = {"first_name": given.get("firstName", ""), "last_name": given.get("lastName", "")}
    address = objects.Address(**names, phone=given.get("phone"))
    return objects.customer(number, _now(), given["email"], address, tags=given.get("tags", []))


def _product(given: Fields, handle: str, number: int) -> Object:
    variants = [
        objects.variant(
            number * 100 + place, _now(), Decimal(variant["price"]), variant["sku"] or None,
            title=variant["optionValues"][0]["name"], position=place,
        )
        for place, variant in enumerate(given["variants"], 1)
    ]  # fmt: skip
    told = {"productType": given["productType"], "isGiftCard": given["giftCard"], "tags": given["tags"]}
    return objects.product(number, _now(), given["title"], variants, handle=handle, **told)


def _order(shop: Shop, given: Fields) -> Object | str:
    """An order, whose discount and tax are those of its first line; or why there is none."""
    customer = given.get("customer", {}).get("toAssociate", {}).get("id")
    for id in (customer, *(line["productId"] for line in given["lineItems"])):
        if id and shop.node(id) is None:
            return f"{id} does not exist"
    discount = given.get("discountCode", {}).get("itemFixedDiscountCode", {}).get("amountSet")
    lines = [
        objects.Line(
            _amount(line["priceSet"]), line["quantity"], sku=line["sku"] or None, title=line["title"],
            product=number_of(line["productId"]),
        )
        for line in given["lineItems"]
    ]  # fmt: skip
    lines[0] = replace(lines[0], discount=_amount(discount), tax=_sum(given.get("taxLines", ())))
    placed_at = datetime.fromisoformat(given["processedAt"])
    unpaid: Object = {"displayFinancialStatus": "PENDING", "transactions": []}
    return objects.Order(
        _next(shop, "orders"), placed_at, lines, customer and number_of(customer), given.get("email"),
        shipping=_sum(given.get("shippingLines", ())),
        gateway=given["transactions"][0]["gateway"] if given.get("transactions") else "manual",
        changes={"tags": given.get("tags", [])} | ({} if given.get("transactions") else unpaid),
    ).object()  # fmt: skip


def _email(customer: Object) -> str:
    return str((customer["defaultEmailAddress"] or {}).get("emailAddress", "")).lower()


def _next(shop: Shop, name: str) -> int:
    return max((number_of(value["id"]) for value in shop.since(name, ("", -1))), default=0) + 1


def _sum(parts: Any) -> Decimal:
    return sum((_amount(part["priceSet"]) for part in parts), objects.ZERO)


def _amount(money: Any) -> Decimal:
    return Decimal(money["shopMoney"]["amount"]) if money else objects.ZERO


def _now() -> datetime:
    return datetime.now(UTC)
