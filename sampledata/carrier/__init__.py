"""What the carriers tell of parcels: JSON lines, times with the offset of the place."""

import json
from collections.abc import Iterator
from pathlib import Path

from sampledata.company import Company
from sampledata.company.model import Order, Parcel, ParcelEvent
from sampledata.files import delivery_file, write_text
from sampledata.sampling import Marks, Streams, mark

Scan = tuple[Order, Parcel, ParcelEvent]

_DEFECTS = {"repeated": 0.005, "other_notation": 0.02}


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write the events that carriers tell in a delivery, in the order of time."""
    scans = sorted(Company(streams, scale, delivery).scans(), key=_order)
    marks = mark(streams.of("carrier.events", delivery), len(scans), _DEFECTS)
    return [write_text(delivery_file(folder, "events", delivery, "jsonl"), _lines(scans, marks))]


def _order(scan: Scan) -> tuple[float, str]:
    _, _, event = scan
    return event.sent_at.timestamp(), event.id


def _lines(scans: list[Scan], marks: Marks) -> Iterator[bytes]:
    repeated, other_notation = (set(marks.rows[kind].tolist()) for kind in _DEFECTS)
    for place, (order, parcel, event) in enumerate(scans):
        status = event.status.replace("_", " ").title() if place in other_notation else event.status
        told = {
            "event_id": event.id,
            "tracking_number": parcel.tracking_number,
            "order_reference": order.name,
            "carrier": parcel.carrier,
            "status": status,
            "event_time": event.at.isoformat(),
            "location": event.location,
        }
        yield (json.dumps(told).encode() + b"\n") * (2 if place in repeated else 1)
