"""What the payment service Stripe holds of the company: who pays, how, what is taken back and paid out."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from sampledata.company import Company
from sampledata.company.model import ZERO, Order, Payment, Person
from sampledata.company.orders import in_currency, in_least_units
from sampledata.company.systems import Fields, payments

_FEE_PERCENT, _FEE = Decimal("2.9"), Decimal("0.30")
_FEE_OF_DISPUTE = 1500
_DAY = 86_400


def stripe_objects(company: Company, since: datetime | None = None) -> Iterator[tuple[str, Fields]]:
    """Yield what was new or changed in a delivery, as it was at its end, each with the list that holds it.

    With `since`, orders and payments of before are left out.
    """
    for person in company.people:
        if company.delivery == 1 or person.registered_at >= company.begin:
            name = f"{person.first_name} {person.last_name}"
            created = _epoch(person.registered_at)
            yield (
                "customers",
                {"id": _customer(person), "created": created, "email": person.email, "name": name},
            )
    nets: Counter[int] = Counter()
    for path, fields in _of_payments(company, since):
        if path == "balance_transactions" and fields["created"] >= company.begin.timestamp():
            nets[fields["created"] // _DAY] += fields["net"]
        yield path, fields
    yield from _paid_out(nets)


def _of_payments(company: Company, since: datetime | None) -> Iterator[tuple[str, Fields]]:
    for order, paid, _ in payments(company, "stripe", since):
        yield from _paid(paid, order)
        yield "checkout/sessions", _checkout(order, paid)
    for order in company.changed_orders(since):
        if order.payment is None and not order.is_test and order.placed_at >= company.begin:
            yield "checkout/sessions", _checkout(order, None)
    for payment in company.stray_payments():
        if since is None or payment.created_at >= since:
            yield from _paid(payment, None)


def _paid(payment: Payment, order: Order | None) -> Iterator[tuple[str, Fields]]:
    """Yield a payment as intent, charge and movement of the balance, with what was paid back."""
    created, currency = _epoch(payment.created_at), payment.currency.lower()
    amount = in_least_units(payment.amount, payment.currency)
    of_payment: Fields = {
        "livemode": True,
        "customer": _customer(order.person) if order and not order.is_guest else None,
        "receipt_email": payment.email,
        "metadata": {"order_name": payment.reference} if payment.reference else {},
    }
    intent, charge, moved = (f"{kind}_{payment.id}" for kind in ("pi", "ch", "txn"))
    returned = [
        in_least_units(in_currency(refund.amount, payment.currency), payment.currency)
        for refund in (order.refunds if order else ())
    ]
    basic = {"created": created, "amount": amount, "currency": currency}
    yield "payment_intents", basic | of_payment | {"id": intent, "latest_charge": charge}
    yield (
        "charges",
        basic
        | of_payment
        | {"id": charge, "payment_intent": intent, "balance_transaction": moved}
        | {"amount_refunded": sum(returned), "refunded": sum(returned) == amount}
        | {"disputed": payment.disputed_at is not None},
    )
    rate = None if payment.currency == "USD" or order is None else float(order.total / payment.amount)
    dollars = order.total if order else payment.amount
    yield "balance_transactions", _moved(moved, created, dollars, charge) | {"exchange_rate": rate}
    for place, (part, refund) in enumerate(zip(returned, order.refunds if order else (), strict=True)):
        at, id = _epoch(refund.at), f"re_{payment.id}_{place}"
        of_refund = {"charge": charge, "payment_intent": intent, "balance_transaction": f"txn_{id}"}
        yield "refunds", {"id": id, "created": at, "amount": part, "currency": currency} | of_refund
        money_back = {"type": "refund", "reporting_category": "refund", "fee": 0, "exchange_rate": rate}
        yield "balance_transactions", _moved(f"txn_{id}", at, -refund.amount, id) | money_back
    if payment.disputed_at and order:
        at, id = _epoch(payment.disputed_at), f"dp_{payment.id}"
        moved_back = {
            "charge": charge,
            "payment_intent": intent,
            "balance_transactions": [{"id": f"txn_{id}"}],
        }
        yield "disputes", basic | moved_back | {"id": id, "created": at, "status": "lost", "livemode": True}
        taken = _moved(f"txn_{id}", at, -order.total, id)
        of_dispute = {
            "type": "adjustment",
            "reporting_category": "dispute",
            "fee": _FEE_OF_DISPUTE,
            "exchange_rate": rate,
        }
        yield "balance_transactions", taken | of_dispute | {"net": taken["amount"] - _FEE_OF_DISPUTE}


def _checkout(order: Order, payment: Payment | None) -> Fields:
    """The page on which an order is paid; without a payment it expired."""

    def units(dollars: Decimal) -> int:
        return in_least_units(in_currency(dollars, order.currency), order.currency)

    created, person = _epoch(order.placed_at), order.person
    discount, tax = (sum((getattr(line, name) for line in order.lines), ZERO) for name in ("discount", "tax"))
    details = {"amount_discount": units(discount), "amount_shipping": units(order.shipping)}
    details["amount_tax"] = units(tax)
    total = in_least_units(payment.amount, payment.currency) if payment else units(order.total)
    added = details["amount_shipping"] + details["amount_tax"]
    address = {"city": person.city.name, "country": "US", "postal_code": person.postal_code}
    lines = [
        {
            "id": f"li_{order.number:08}_{place}", "description": line.article.product.title,
            "quantity": line.quantity, "amount_total": units(line.total), "currency": order.currency.lower(),
        }
        for place, line in enumerate(order.lines)
    ]  # fmt: skip
    return {
        "livemode": True,
        "id": f"cs_test_{order.number:08}", "created": created, "amount": total,
        "amount_subtotal": total + details["amount_discount"] - added,
        "currency": order.currency.lower(), "total_details": details,
        "customer": None if order.is_guest else _customer(person), "customer_details": {
            "address": address, "email": order.email, "name": f"{person.first_name} {person.last_name}",
            "phone": person.phone,
        },
        "client_reference_id": payment.reference if payment else order.name,
        "line_items": {"object": "list", "data": lines, "has_more": False},
        "payment_intent": f"pi_{payment.id}" if payment else None,
        "payment_status": "paid" if payment else "unpaid", "status": "complete" if payment else "expired",
    }  # fmt: skip


def _paid_out(nets: Counter[int]) -> Iterator[tuple[str, Fields]]:
    """Yield what is paid out at the end of each day; what is below 0 is taken from the next one."""
    balance = 0
    for day, net in sorted(nets.items()):
        balance += net
        if balance <= 0:
            continue
        created, name = day * _DAY + _DAY - 1, f"po_{day:08}"
        paid_out = {"id": name, "created": created, "amount": balance, "currency": "usd", "status": "paid"}
        yield "payouts", paid_out | {"livemode": True} | {"balance_transaction": f"txn_{name}"}
        moved = {"id": f"txn_{name}", "created": created, "amount": -balance, "currency": "usd"}
        kind = {"type": "payout", "reporting_category": "payout", "net": -balance, "fee": 0}
        yield "balance_transactions", moved | kind | {"source": name}
        balance = 0


def _moved(id: str, created: int, dollars: Decimal, source: str) -> Fields:
    """A movement of the balance, which is in dollars, less the fee."""
    amount = in_least_units(dollars, "USD")
    fee = round(amount * _FEE_PERCENT / 100 + _FEE * 100) if amount > 0 else 0
    fields = {"id": id, "created": created, "amount": amount, "currency": "usd", "source": source}
    return fields | {"fee": fee, "net": amount - fee}


def _customer(person: Person) -> str:
    return f"cus_{person.number:08}"


def _epoch(time: datetime) -> int:
    return int(time.timestamp())
