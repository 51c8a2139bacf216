"""Objects as Stripe's API shows them, with the fields that matter to somebody who reads them."""

from typing import Any

Object = dict[str, Any]

# Lists by their paths: the kind of their objects, and how their ids begin.
CREATED = {
    "balance_transactions": ("balance_transaction", "txn"),
    "charges": ("charge", "ch"),
    "checkout/sessions": ("checkout.session", "cs_test"),
    "customers": ("customer", "cus"),
    "disputes": ("dispute", "dp"),
    "events": ("event", "evt"),
    "payment_intents": ("payment_intent", "pi"),
    "payouts": ("payout", "po"),
    "prices": ("price", "price"),
    "products": ("product", "prod"),
    "refunds": ("refund", "re"),
}

_NOWHERE = dict.fromkeys(["city", "country", "line1", "line2", "postal_code", "state"])


def customer(id: str, created: int, email: str | None, name: str | None = None, **more: Any) -> Object:
    """A customer."""
    return {
        "id": id, "object": "customer", "address": dict(_NOWHERE), "balance": 0, "created": created,
        "currency": None, "default_source": None, "delinquent": False, "description": None, "email": email,
        "invoice_prefix": id[-8:].upper(), "livemode": False, "metadata": {}, "name": name, "phone": None,
        "preferred_locales": [], "shipping": None, "tax_exempt": "none",
    } | more  # fmt: skip


def payment_intent(id: str, created: int, amount: int, currency: str, **more: Any) -> Object:
    """A payment that succeeded; amounts in the least unit of the currency."""
    return {
        "id": id, "object": "payment_intent", "amount": amount, "amount_capturable": 0,
        "amount_received": amount, "canceled_at": None, "cancellation_reason": None,
        "capture_method": "automatic", "client_secret": f"{id}_secret_x", "confirmation_method": "automatic",
        "created": created, "currency": currency, "customer": None, "description": None,
        "last_payment_error": None, "latest_charge": None, "livemode": False, "metadata": {},
        "payment_method_types": ["card"], "receipt_email": None, "status": "succeeded",
    } | more  # fmt: skip


def charge(id: str, created: int, amount: int, currency: str, **more: Any) -> Object:
    """A captured charge."""
    return {
        "id": id, "object": "charge", "amount": amount, "amount_captured": amount, "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"address": dict(_NOWHERE), "email": None, "name": None, "phone": None},
        "captured": True, "created": created, "currency": currency, "customer": None, "description": None,
        "disputed": False, "failure_balance_transaction": None, "failure_code": None,
        "failure_message": None, "livemode": False, "metadata": {},
        "outcome": {"network_status": "approved_by_network", "type": "authorized"}, "paid": True,
        "payment_intent": None,
        "payment_method_details": {
            "card": {"brand": "visa", "country": "US", "funding": "credit", "last4": "4242"}, "type": "card",
        },
        "receipt_email": None, "refunded": False, "statement_descriptor": None, "status": "succeeded",
    } | more  # fmt: skip


def refund(id: str, created: int, amount: int, currency: str, charge: str, **more: Any) -> Object:
    """A refund of a charge."""
    return {
        "id": id, "object": "refund", "amount": amount, "balance_transaction": None, "charge": charge,
        "created": created, "currency": currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"}, "metadata": {},
        "payment_intent": None, "reason": None, "status": "succeeded",
    } | more  # fmt: skip


def dispute(id: str, created: int, amount: int, currency: str, charge: str, **more: Any) -> Object:
    """A dispute of a charge."""
    return {
        "id": id, "object": "dispute", "amount": amount, "balance_transactions": [], "charge": charge,
        "created": created, "currency": currency, "evidence": {"customer_name": None},
        "evidence_details": {"due_by": created + 604_800, "has_evidence": False, "submission_count": 0},
        "is_charge_refundable": False, "livemode": False, "metadata": {}, "payment_intent": None,
        "reason": "fraudulent", "status": "needs_response",
    } | more  # fmt: skip


def balance_transaction(
    id: str, created: int, amount: int, currency: str, source: str | None, **more: Any
) -> Object:
    """A movement of the balance, in the currency of settlement, without a fee."""
    return {
        "id": id, "object": "balance_transaction", "amount": amount, "available_on": created + 172_800,
        "balance_type": "payments", "created": created, "currency": currency, "description": None,
        "exchange_rate": None, "fee": 0, "fee_details": [], "net": amount, "reporting_category": "charge",
        "source": source, "status": "available", "type": "charge",
    } | more  # fmt: skip


def checkout_session(id: str, created: int, amount: int, currency: str, **more: Any) -> Object:
    """A checkout that was paid; its `line_items` come only where they are asked for."""
    return {
        "id": id, "object": "checkout.session", "amount_subtotal": amount, "amount_total": amount,
        "client_reference_id": None, "created": created, "currency": currency, "customer": None,
        "customer_details": {"address": dict(_NOWHERE), "email": None, "name": None, "phone": None},
        "customer_email": None, "expires_at": created + 86_400, "line_items": {"data": [], "has_more": False},
        "livemode": False, "metadata": {}, "mode": "payment", "payment_intent": None,
        "payment_status": "paid", "shipping_cost": None, "status": "complete",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    } | more  # fmt: skip


def payout(id: str, created: int, amount: int, currency: str, **more: Any) -> Object:
    """A payout to a bank account."""
    return {
        "id": id, "object": "payout", "amount": amount, "arrival_date": created + 172_800, "automatic": True,
        "balance_transaction": None, "created": created, "currency": currency, "description": "STRIPE PAYOUT",
        "destination": "ba_1", "failure_balance_transaction": None, "failure_code": None,
        "failure_message": None, "livemode": False, "metadata": {}, "method": "standard",
        "original_payout": None, "reconciliation_status": "in_progress", "reversed_by": None,
        "statement_descriptor": None, "status": "in_transit", "type": "bank_account",
    } | more  # fmt: skip


def event(id: str, created: int, kind: str, about: Object) -> Object:
    """An event that tells of an object as it was."""
    return {
        "id": id, "object": "event", "api_version": "2024-06-20", "created": created,
        "data": {"object": dict(about)}, "livemode": False, "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None}, "type": kind,
    }  # fmt: skip
