"""What a shop, a transactions API and a shipping database hold of the company; `stripe` has one more.

Each function yields what was new or changed in a delivery, as it was at its end, in plain dicts: rows of
a table, or the arguments by which the sample servers make their objects. With `since`, orders and payments
of before are left out.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sampledata.company import Company
from sampledata.company.model import Order, Payment, Person, Variant
from sampledata.company.orders import digits_of
from sampledata.places import STATE_CODES

Fields = dict[str, Any]

_WRONG_CLOCK = timedelta(hours=2)


def shipments(company: Company, since: datetime | None = None) -> Iterator[Fields]:
    """Yield the rows of the table `shipments`: one per parcel that was shipped or arrived."""
    for order in company.changed_orders(since):
        parcel = order.parcel
        if parcel is None:
            continue
        updated_at = parcel.delivered_at or parcel.shipped_at
        if updated_at >= company.begin:
            wrong = parcel.shipped_at - _WRONG_CLOCK if parcel.is_clock_wrong else parcel.delivered_at
            yield {
                "id": parcel.number,
                "order_reference": order.name,
                "carrier": parcel.carrier,
                "status": "delivered" if parcel.delivered_at else "shipped",
                "shipped_at": parcel.shipped_at,
                "promised_at": parcel.promised_at,
                "delivered_at": wrong if parcel.delivered_at else None,
                "updated_at": updated_at,
            }


def transactions(company: Company, since: datetime | None = None) -> Iterator[Fields]:
    """Yield the records of the transactions API: one per payment that came or was paid back."""
    for order, payment, updated_at in payments(company, "transactions", since):
        yield {
            "id": f"tr_{payment.id}",
            "order_reference": payment.reference,
            "customer_email": payment.email,
            "amount": str(payment.amount),
            "currency": payment.currency,
            "status": "refunded" if order.refunds else "captured",
            "created_at": payment.created_at.isoformat(),
            "updated_at": updated_at.isoformat(),
        }


def shop_products(company: Company) -> Iterator[Fields]:
    """Yield the products with their variants; skus are those of the end of the delivery."""
    begin = company.people[0].registered_at
    for product in company.assortment.products:
        changes = [v.sku_changes_at for v in product.variants if v.sku_changes_at]
        yield {
            "number": product.number,
            "at": max([begin, *(at for at in changes if at < company.end)]),
            "title": product.title,
            "productType": product.category,
            "isGiftCard": product.is_gift_card,
            "variants": [_variant(variant, begin, company.end) for variant in product.variants],
        }


def shop_customers(company: Company) -> Iterator[Fields]:
    """Yield the customers who registered."""
    for person in company.people:
        if company.delivery == 1 or person.registered_at >= company.begin:
            fields = {"number": person.number, "at": person.registered_at, "email": person.email}
            yield fields | {"address": _address(person)}


def shop_orders(company: Company, since: datetime | None = None) -> Iterator[Fields]:
    """Yield orders: how they were placed, how they were shipped (or None), and what was returned, in turn."""
    for order in company.changed_orders(since):
        parcel = order.parcel
        shipped = parcel and {
            "at": parcel.shipped_at,
            "location": order.warehouse.id,
            "carrier": parcel.carrier,
            "tracking": parcel.tracking_number,
        }
        returns = [{"at": r.at, "returned": {r.line: r.quantity}} for r in order.refunds]
        yield {"order": _placed(order), "shipped": shipped, "returns": returns}


def shop_levels(company: Company) -> Iterator[Fields]:
    """Yield the stock that the shop knows of, the last export of the delivery, by location and variant."""
    levels = list(company.levels())
    for level in levels:
        if level.at == levels[-1].at and level.available is not None:
            variant = level.article.variant
            yield {
                "item": variant.number,
                "place": level.warehouse.id,
                "at": level.at,
                "available": level.available,
                "sku": variant.sku_at(level.at),
            }


def payments(
    company: Company, provider: str, since: datetime | None
) -> Iterator[tuple[Order, Payment, datetime]]:
    """Yield the payments by a provider that came or were paid back, and when they changed last."""
    for order in company.changed_orders(since):
        if order.payment and order.payment.provider == provider:
            updated_at = max([order.payment.changed_at, *(refund.at for refund in order.refunds)])
            if updated_at >= company.begin:
                yield order, order.payment, updated_at


def _placed(order: Order) -> Fields:
    state: Fields = {"test": order.is_test}
    if order.payment is None:
        state |= {"displayFinancialStatus": "PENDING", "transactions": []}
    return {
        "number": order.number,
        "placed_at": order.placed_at,
        "lines": [
            {
                "price": line.price,
                "quantity": line.quantity,
                "discount": line.discount,
                "tax": line.tax,
                "sku": line.sku,
                "title": line.article.product.title,
                "product": line.article.product.number,
                "variant": line.article.variant.number,
                "is_gift_card": line.article.product.is_gift_card,
            }
            for line in order.lines
        ],
        "customer": None if order.is_guest else order.person.number,
        "email": order.email,
        "address": _address(order.person),
        "shipping": order.shipping,
        "currency": {
            "shop": "USD",
            "presentment": order.currency,
            "rate": order.rate,
            "digits": digits_of(order.currency),
        },
        "gateway": order.payment.provider if order.payment else "manual",
        "changes": state,
    }


def _variant(variant: Variant, at: datetime, end: datetime) -> Fields:
    sku = variant.sku_at(end)
    return {"number": variant.number, "at": at, "price": variant.price, "sku": sku, "title": variant.title}


def _address(person: Person) -> Fields:
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "street": person.street,
        "city": person.city.name,
        "province": STATE_CODES[person.city.state],
        "zip": person.postal_code,
        "country": "US",
        "phone": person.phone,
    }
