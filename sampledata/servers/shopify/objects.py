"""Objects of a shop in the shape of the API: orders with their sales ledger, products, customers, levels.

Money has the currencies of shop and customer. Signs in the ledger are the vendor's: discounts are positive,
and a return mirrors what it returns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sampledata.company.model import rounded

Object = dict[str, Any]
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Currency:
    """The shop's currency and the customer's, of which `rate` is paid for one of the shop's, in `digits`."""

    shop: str = "USD"
    presentment: str = "USD"
    rate: Decimal = Decimal(1)
    digits: int = 2

    def money(self, amount: Decimal) -> Object:
        """An amount of the shop's currency in both."""
        paid = rounded(amount * self.rate, self.digits)
        return {
            "shopMoney": {"amount": str(amount), "currencyCode": self.shop},
            "presentmentMoney": {"amount": str(paid), "currencyCode": self.presentment},
        }


@dataclass(frozen=True)
class Line:
    """A line of an order; discount and tax are those of the whole line."""

    price: Decimal
    quantity: int = 1
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    sku: str | None = None
    title: str = "Kettlebell"
    product: int | None = None
    variant: int | None = None
    is_gift_card: bool = False


@dataclass(frozen=True)
class Address:
    """A postal address and who lives there."""

    first_name: str = "Ada"
    last_name: str = "Okafor"
    street: str = "1 Main St"
    city: str = "Springfield"
    province: str = "IL"
    zip: str = "62701"
    country: str = "US"
    phone: str | None = None

    def object(self, identity: int) -> Object:
        """The address as the API gives it."""
        return {
            "id": gid("MailingAddress", identity), "firstName": self.first_name, "lastName": self.last_name,
            "company": None, "address1": self.street, "address2": None, "city": self.city, "zip": self.zip,
            "provinceCode": self.province, "countryCodeV2": self.country, "phone": self.phone,
        }  # fmt: skip


@dataclass(frozen=True)
class Sale:
    """What an order's line does to the ledger: amounts of the shop's currency, and quantity."""

    line_type: str
    total: Decimal
    tax: Decimal = ZERO
    discount: Decimal = ZERO
    quantity: int | None = None
    line: str | None = None

    def object(self, identity: int, action: str, currency: Currency) -> Object:
        """The sale as the API gives it."""
        kind = _SALES.get(self.line_type, "UnknownSale")
        part = "shippingLine" if kind == "ShippingLineSale" else "lineItem"
        return {
            "id": gid(kind, identity), "actionType": action, "lineType": self.line_type,
            "quantity": self.quantity, "totalAmount": currency.money(self.total),
            "totalTaxAmount": currency.money(self.tax),
            "totalDiscountAmountBeforeTaxes": currency.money(self.discount),
            "totalDiscountAmountAfterTaxes": currency.money(ZERO),
            part: self.line and {"id": self.line},
        }  # fmt: skip


_SALES = {
    "PRODUCT": "ProductSale",
    "GIFT_CARD": "GiftCardSale",
    "TIP": "TipSale",
    "SHIPPING": "ShippingLineSale",
    "ADJUSTMENT": "AdjustmentSale",
}


@dataclass(frozen=True)
class Order:
    """An order as it is placed; `changes` are other fields of the API's object."""

    number: int
    placed_at: datetime
    lines: Sequence[Line]
    customer: int | None = None
    email: str | None = None
    address: Address | None = None
    shipping: Decimal = ZERO
    tip: Decimal = ZERO
    currency: Currency = Currency()
    gateway: str = "shopify_payments"
    changes: Mapping[str, Any] = field(default_factory=dict)

    def object(self) -> Object:
        """The order as the API gives it, paid and not shipped yet."""
        money, at = self.currency.money, iso(self.placed_at)
        goods = sum((line.price * line.quantity for line in self.lines), ZERO)
        discounts = sum((line.discount for line in self.lines), ZERO)
        taxes = sum((line.tax for line in self.lines), ZERO)
        total = goods - discounts + taxes + self.shipping + self.tip
        place = self.address.object(self.number) if self.address else None
        shipping_id = gid("ShippingLine", self.number)
        line_ids = [gid("LineItem", self.number * 1000 + index) for index in range(len(self.lines))]
        sales = [
            Sale(
                "GIFT_CARD" if line.is_gift_card else "PRODUCT",
                line.price * line.quantity - line.discount + line.tax,
                line.tax, line.discount, line.quantity, identity,
            )
            for identity, line in zip(line_ids, self.lines, strict=True)
        ]  # fmt: skip
        if self.shipping:
            sales.append(Sale("SHIPPING", self.shipping, line=shipping_id))
        if self.tip:
            sales.append(Sale("TIP", self.tip, quantity=1, line=gid("LineItem", self.number * 1000 + 999)))
        return {
            "id": gid("Order", self.number), "name": f"#{1000 + self.number}", "createdAt": at,
            "processedAt": at, "updatedAt": at, "cancelledAt": None, "closedAt": None, "cancelReason": None,
            "test": False, "currencyCode": self.currency.shop,
            "presentmentCurrencyCode": self.currency.presentment, "taxesIncluded": False,
            "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
            "returnStatus": "NO_RETURN", "sourceName": "web", "tags": [], "discountCodes": [],
            "paymentGatewayNames": [self.gateway], "email": self.email, "phone": None,
            "customer": self.customer and {"id": gid("Customer", self.customer)},
            "billingAddress": place, "shippingAddress": place,
            "subtotalPriceSet": money(goods - discounts), "totalDiscountsSet": money(discounts),
            "totalShippingPriceSet": money(self.shipping), "totalTaxSet": money(taxes),
            "totalTipReceivedSet": money(self.tip), "totalPriceSet": money(total),
            "originalTotalPriceSet": money(total), "currentTotalPriceSet": money(total),
            "totalRefundedSet": money(ZERO), "taxLines": [_tax(money(taxes))] if taxes else [],
            "lineItems": [
                _line(line, identity, money) for identity, line in zip(line_ids, self.lines, strict=True)
            ],
            "shippingLines": [_shipping(shipping_id, money(self.shipping))] if self.shipping else [],
            "refunds": [], "returns": [], "fulfillments": [],
            "transactions": [transaction(self.number * 1000, at, "SALE", money(total), self.gateway)],
            "agreements": [
                agreement("OrderAgreement", self.number * 1000, at, "ORDER", sales, self.currency)
            ],
            **self.changes,
        }  # fmt: skip


def gid(kind: str, number: int) -> str:
    """The id of an object."""
    return f"gid://shopify/{kind}/{number}"


def iso(time: datetime) -> str:
    """A time as the API writes it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def agreement(
    kind: str, number: int, at: str, action: str, sales: Iterable[Sale], currency: Currency
) -> Object:
    """An entry of an order's ledger, with its sales; their action is ORDER, UPDATE or RETURN."""
    reasons = {"OrderAgreement": "ORDER", "RefundAgreement": "REFUND", "OrderEditAgreement": "ORDER_EDIT"}
    entries = [sale.object(number * 1000 + n, action, currency) for n, sale in enumerate(sales)]
    return {"id": gid(kind, number), "happenedAt": at, "reason": reasons[kind], "sales": entries}


def transaction(
    number: int, at: str, kind: str, amount: Object, gateway: str, parent: str | None = None
) -> Object:
    """A payment, a capture or a refund of money."""
    return {
        "id": gid("OrderTransaction", number), "createdAt": at, "processedAt": at, "kind": kind,
        "status": "SUCCESS", "gateway": gateway, "paymentId": f"c{number}.1", "test": False,
        "errorCode": None, "parentTransaction": parent and {"id": parent}, "amountSet": amount,
    }  # fmt: skip


def refund(
    order: Object, at: datetime, returned: Mapping[int, int], currency: Currency = Currency()
) -> Object:
    """An order after pieces came back and were paid for: `returned` has quantities by the line's place."""
    money = currency.money
    number = int(order["id"].rsplit("/", 1)[1]) * 1000 + len(order["refunds"]) + 1
    placed = order["agreements"][0]["sales"]
    entries, sales = [], []
    for index, quantity in returned.items():
        sale, line = placed[index], order["lineItems"][index]
        total, tax, discount = (
            rounded(Decimal(sale[name]["shopMoney"]["amount"]) * quantity / line["quantity"])
            for name in ("totalAmount", "totalTaxAmount", "totalDiscountAmountBeforeTaxes")
        )
        sales.append(Sale(sale["lineType"], -total, -tax, -discount, -quantity, line["id"]))
        entries.append(
            {
                "id": gid("RefundLineItem", number * 100 + index), "quantity": quantity,
                "restockType": "RETURN", "restocked": True, "lineItem": {"id": line["id"]}, "location": None,
                "priceSet": line["originalUnitPriceSet"], "subtotalSet": money(total - tax),
                "totalTaxSet": money(tax),
            }
        )  # fmt: skip
    amount = -sum((sale.total for sale in sales), ZERO)
    before, refunded = (
        Decimal(order[name]["shopMoney"]["amount"]) for name in ("currentTotalPriceSet", "totalRefundedSet")
    )
    came_back = _return(number, order, iso(at), returned)
    entry = {
        "id": gid("Refund", number), "createdAt": iso(at), "processedAt": iso(at), "updatedAt": iso(at),
        "note": None, "return": {"id": came_back["id"]}, "totalRefundedSet": money(amount),
        "refundLineItems": entries, "refundShippingLines": [], "orderAdjustments": [],
    }  # fmt: skip
    paid = order["transactions"][0]
    returned_money = transaction(number, iso(at), "REFUND", money(amount), paid["gateway"], paid["id"])
    ledger = agreement("RefundAgreement", number, iso(at), "RETURN", sales, currency)
    return order | {
        "updatedAt": iso(at), "refunds": [*order["refunds"], entry],
        "returns": [*order["returns"], came_back], "returnStatus": "RETURNED",
        "transactions": [*order["transactions"], returned_money],
        "agreements": [*order["agreements"], ledger],
        "currentTotalPriceSet": money(before - amount), "totalRefundedSet": money(refunded + amount),
        "displayFinancialStatus": "PARTIALLY_REFUNDED" if before > amount else "REFUNDED",
    }  # fmt: skip


def _return(number: int, order: Object, at: str, returned: Mapping[int, int]) -> Object:
    """The return that a refund is for, which is closed with it."""
    lines = [
        {
            "id": gid("ReturnLineItem", number * 100 + index), "quantity": quantity,
            "refundedQuantity": quantity, "returnReasonNote": "", "customerNote": None,
            "fulfillmentLineItem": {
                "id": gid("FulfillmentLineItem", number * 100 + index), "quantity": quantity,
                "lineItem": {"id": order["lineItems"][index]["id"]},
            },
        }
        for index, quantity in returned.items()
    ]  # fmt: skip
    return {
        "id": gid("Return", number), "name": f"{order['name']}-R{len(order['returns']) + 1}",
        "status": "CLOSED", "createdAt": at, "closedAt": at, "totalQuantity": sum(returned.values()),
        "returnLineItems": lines,
    }  # fmt: skip


def ship(order: Object, at: datetime, location: int, carrier: str, tracking: str) -> Object:
    """An order after all its lines were shipped."""
    number = int(order["id"].rsplit("/", 1)[1])
    lines = [
        {
            "id": gid("FulfillmentLineItem", number * 1000 + n),
            "quantity": line["quantity"],
            "lineItem": {"id": line["id"]},
        }
        for n, line in enumerate(order["lineItems"])
    ]
    shipped = {
        "id": gid("Fulfillment", number), "name": f"{order['name']}-F1", "createdAt": iso(at),
        "updatedAt": iso(at), "status": "SUCCESS", "displayStatus": "FULFILLED", "estimatedDeliveryAt": None,
        "inTransitAt": iso(at), "deliveredAt": None,
        "totalQuantity": sum(line["quantity"] for line in lines),
        "location": {"id": gid("Location", location)},
        "trackingInfo": [{"company": carrier, "number": tracking, "url": None}],
        "fulfillmentLineItems": lines,
    }  # fmt: skip
    return order | {
        "updatedAt": iso(at),
        "fulfillments": [shipped],
        "displayFulfillmentStatus": "FULFILLED",
    }


def product(number: int, at: datetime, title: str, variants: Sequence[Object], **changes: Any) -> Object:
    """A product with its variants."""
    return {
        "id": gid("Product", number), "title": title, "handle": title.lower().replace(" ", "-"),
        "vendor": "Lakehouse", "productType": "", "status": "ACTIVE", "tags": [], "isGiftCard": False,
        "createdAt": iso(at), "updatedAt": iso(at), "publishedAt": iso(at), "variants": list(variants),
    } | changes  # fmt: skip


def variant(number: int, at: datetime, price: Decimal, sku: str | None, **changes: Any) -> Object:
    """A variant of a product, with its inventory item of the same number."""
    return {
        "id": gid("ProductVariant", number), "title": "Default Title", "sku": sku, "barcode": None,
        "position": 1, "price": str(price), "compareAtPrice": None, "taxable": True,
        "inventoryPolicy": "DENY", "createdAt": iso(at), "updatedAt": iso(at),
        "selectedOptions": [{"name": "Title", "value": "Default Title"}],
        "inventoryItem": {
            "id": gid("InventoryItem", number), "tracked": True, "requiresShipping": True, "unitCost": None,
        },
    } | changes  # fmt: skip


def customer(number: int, at: datetime, email: str | None, address: Address, **changes: Any) -> Object:
    """A customer with one address."""
    place = address.object(number)
    return {
        "id": gid("Customer", number), "firstName": address.first_name, "lastName": address.last_name,
        "defaultEmailAddress": email and {"emailAddress": email, "marketingState": "SUBSCRIBED"},
        "defaultPhoneNumber": address.phone and {"phoneNumber": address.phone}, "verifiedEmail": True,
        "state": "ENABLED", "locale": "en", "taxExempt": False, "tags": [], "numberOfOrders": "0",
        "amountSpent": {"amount": "0.00", "currencyCode": "USD"}, "defaultAddress": place,
        "createdAt": iso(at), "updatedAt": iso(at), "addressesV2": [place],
    } | changes  # fmt: skip


def location(number: int, name: str, levels: Sequence[Object]) -> Object:
    """A location with its inventory levels."""
    place = {"id": gid("Location", number), "name": name, "isActive": True}
    return place | {
        "updatedAt": iso(datetime(2020, 1, 1)),
        "inventoryLevels": [level | {"location": place} for level in levels],
    }


def level(item: int, place: int, at: datetime, available: int, sku: str | None) -> Object:
    """How much of an inventory item is at a location."""
    names = ("available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock")
    return {
        "id": f"gid://shopify/InventoryLevel/{place}?inventory_item_id={item}", "isActive": True,
        "createdAt": iso(at), "updatedAt": iso(at), "item": {"id": gid("InventoryItem", item), "sku": sku},
        "quantities": [
            {"id": f"gid://shopify/InventoryQuantity/{place}?inventory_item_id={item}&name={name}",
             "name": name, "quantity": available if name in ("available", "on_hand") else 0}
            for name in (*names, "quality_control")
        ],
    }  # fmt: skip


def deletion(number: int, at: datetime, product_number: int) -> Object:
    """The event of a product that was deleted."""
    return {
        "id": gid("BasicEvent", number), "action": "destroy", "createdAt": iso(at),
        "subjectId": gid("Product", product_number), "subjectType": "PRODUCT",
    }  # fmt: skip


def _tax(amount: Object) -> Object:
    return {"title": "State tax", "rate": 0.0625, "channelLiable": False, "priceSet": amount}


def _shipping(identity: str, amount: Object) -> Object:
    return {
        "id": identity, "title": "Standard", "code": "standard", "source": "shopify", "isRemoved": False,
        "originalPriceSet": amount, "discountedPriceSet": amount, "discountAllocations": [], "taxLines": [],
    }  # fmt: skip


def _line(line: Line, identity: str, money: Any) -> Object:
    application = {
        "__typename": "DiscountCodeApplication",
        "index": 0,
        "targetType": "LINE_ITEM",
        "code": "TEN",
    }
    discount = {"allocatedAmountSet": money(line.discount), "discountApplication": application}
    return {
        "id": identity, "name": line.title, "title": line.title, "variantTitle": None, "sku": line.sku,
        "vendor": "Lakehouse", "quantity": line.quantity, "currentQuantity": line.quantity,
        "isGiftCard": line.is_gift_card, "requiresShipping": not line.is_gift_card, "taxable": True,
        "product": line.product and {"id": gid("Product", line.product)},
        "variant": line.variant and {"id": gid("ProductVariant", line.variant)},
        "originalUnitPriceSet": money(line.price), "originalTotalSet": money(line.price * line.quantity),
        "discountAllocations": [discount] if line.discount else [],
        "taxLines": [_tax(money(line.tax))] if line.tax else [], "duties": [],
    }  # fmt: skip
