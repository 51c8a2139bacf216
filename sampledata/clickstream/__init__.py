"""Clicks in the online shop, as browsers send them: JSON lines in the order in which they got through."""

import json
from collections.abc import Iterator
from pathlib import Path

from sampledata.company import Company
from sampledata.company.model import Click
from sampledata.files import delivery_file, write_text
from sampledata.sampling import Streams


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write the clicks that are sent in a delivery, late ones of the one before among them."""
    clicks = Company(streams, scale, delivery).clicks()
    return [write_text(delivery_file(folder, "clicks", delivery, "jsonl"), _lines(clicks))]


def _lines(clicks: Iterator[Click]) -> Iterator[bytes]:
    for click in clicks:
        event = {
            "event_id": click.id,
            "event_time": f"{click.at:%Y-%m-%dT%H:%M:%SZ}",
            "user_id": click.user_id,
            "anonymous_id": click.anonymous_id,
            "session_id": click.session_id,
            "event_type": click.kind,
            "product": click.product,
            "page": click.page,
            "referrer": click.referrer,
            "device": click.device,
        }
        yield json.dumps(event).encode() + b"\n"
