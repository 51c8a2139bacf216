"""Shopify's search syntax, as far as connectors use it: terms with AND between them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]

_TERM = re.compile(r"(\w+):(>=|<=|>|<)?('[^']*'|\S+)")
# Terms that are known, by the lists that know them, and the fields they look at.
_FIELDS = {
    "updated_at": "updatedAt",
    "created_at": "createdAt",
    "action": "action",
    "subject_type": "subjectType",
    "tag": "tags",
}
_KNOWN = {
    "orders": {"updated_at", "created_at", "tag"},
    "products": {"updated_at", "created_at", "tag"},
    "customers": {"updated_at", "tag"},
    "inventoryLevels": {"updated_at", "created_at"},
    "events": {"action", "subject_type", "created_at"},
}


def parse(name: str, query: str | None) -> tuple[Callable[[Object], bool], list[str]]:
    """What objects of a list must fulfil, and names of terms that are ignored, as Shopify does."""
    tests: list[Callable[[Object], bool]] = []
    ignored = []
    for field, operator, value in _TERM.findall(query or ""):
        if field in _KNOWN.get(name, ()):
            tests.append(_test(_FIELDS[field], operator, value))
        else:
            ignored.append(field)
    return lambda value: all(test(value) for test in tests), ignored


def _test(field: str, operator: str, value: str) -> Callable[[Object], bool]:
    if field == "tags":
        return lambda each: value.strip("'") in each["tags"]
    if not field.endswith("At"):
        return lambda each: each[field].lower() == value.strip("'").lower()
    if not value.startswith("'"):
        # Of a time without quotes, the time of day is ignored.
        value = value[:10]
    limit = datetime.fromisoformat(value.strip("'"))
    limit = limit if limit.tzinfo else limit.replace(tzinfo=UTC)

    def compare(each: Object) -> bool:
        time = datetime.fromisoformat(each[field])
        match operator:
            case ">=":
                return time >= limit
            case "<=":
                return time <= limit
            case ">":
                return time > limit
            case "<":
                return time < limit
        return time == limit

    return compare
