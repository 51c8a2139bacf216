"""Parcels on their way: what the carriers' scanners tell, at the time of the place where they are."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sampledata.company.model import Parcel, ParcelEvent, Person, Warehouse
from sampledata.places import City

CARRIERS = ["UPS", "FedEx", "USPS"]
_PROMISED_DAYS = {"UPS": 4, "FedEx": 3, "USPS": 6}
_PREFIXES = {"UPS": "1Z", "FedEx": "7", "USPS": "94"}
_ZONES = {
    "East": ZoneInfo("America/New_York"),
    "South": ZoneInfo("America/Chicago"),
    "Central": ZoneInfo("America/Chicago"),
    "West": ZoneInfo("America/Los_Angeles"),
}
# What is scanned, when (as a part of the way), and whether in the customer's city.
_WAY = [("picked_up", 0.0, False), ("in_transit", 0.15, False), ("in_transit", 0.7, True)]
_ARRIVAL = [("out_for_delivery", 0.9, True), ("delivered", 1.0, True)]
_SECOND_TRY_SHARE = 0.04
_LATE_OF_EVERY, _LATE = 97, timedelta(days=1)


def parcel(number: int, person: Person, warehouse: Warehouse, drawn: dict[str, Any]) -> Parcel:
    """The parcel of an order; a lost one is scanned on its way for the last time."""
    carrier = CARRIERS[drawn["carrier"]]
    packed = drawn["placed_at"] + timedelta(seconds=round(drawn["hours_to_ship"] * 1800))
    shipped = drawn["placed_at"] + timedelta(seconds=round(drawn["hours_to_ship"] * 3600))
    way = timedelta(seconds=round(drawn["hours_on_the_way"] * 3600))
    scans = [("label_created", packed, warehouse.city)]
    steps = _WAY if drawn["lost_parcel"] else [*_WAY, *_second_try(drawn["chance"]), *_ARRIVAL]
    for status, part, is_near in steps:
        scans.append((status, _seconds(shipped + way * part), person.city if is_near else warehouse.city))
    code = drawn["parcel_code"]
    return Parcel(
        number,
        f"{_PREFIXES[carrier]}{code:014}",
        carrier,
        shipped,
        shipped + timedelta(days=_PROMISED_DAYS[carrier]),
        None if drawn["lost_parcel"] else _seconds(shipped + way),
        tuple(_events(code, scans)),
        drawn["wrong_clock"],
    )


def _second_try(chance: float) -> list[tuple[str, float, bool]]:
    return [("delivery_failed", 0.8, True)] if chance < _SECOND_TRY_SHARE else []


def _events(code: int, scans: list[tuple[str, datetime, City]]) -> Iterator[ParcelEvent]:
    for step, (status, at, city) in enumerate(scans):
        local = at.astimezone(_ZONES[city.region])
        # Codes are spread evenly, and so are those that are told late.
        sent_at = local + _LATE if (code + step) % _LATE_OF_EVERY == 0 else local
        yield ParcelEvent(f"{code:011x}{step:x}", local, sent_at, status, f"{city.name}, {city.state}")


def _seconds(time: datetime) -> datetime:
    return time.replace(microsecond=0)
