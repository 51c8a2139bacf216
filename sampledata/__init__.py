"""Sample data: the files that the source systems would send, of any size, with their usual defects.

To add a source, write a module with a function `write(folder, scale, streams, delivery)` that
writes one delivery of its files and returns their paths, and name it in `SOURCES`.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from sampledata import carrier, clickstream, crm, erp, events, gym, inventory, storefront
from sampledata.sampling import Streams

Source = Callable[[Path, float, Streams, int], list[Path]]

SOURCES: dict[str, Source] = {
    "crm": crm.write,
    "erp": erp.write,
    "storefront": storefront.write,
    "events": events.write,
    "gym": gym.write,
    "inventory": inventory.write,
    "clickstream": clickstream.write,
    "carrier": carrier.write,
}


def generate(
    out: Path,
    scale: float = 1.0,
    seed: int = 0,
    sources: Sequence[str] | None = None,
    deliveries: int = 1,
) -> list[Path]:
    """Write sample files to `<out>/<source>/` and return their paths in the order written.

    Scale 1 is about 60,000 CRM sales lines of 18,500 customers, 10,000 storefront order lines of
    800 customers, 50,000 app events a week and 50,000 heart rates of 30 workouts a week in gyms
    with 24 users, later more; and of the online shop, the last six weeks of 5,000 orders in three
    years: 6,000 clicks, 20,000 levels of stock, 1,500 scans of parcels. All grow with the scale, the
    products with its square root.
    Delivery 1 is a full history (of events and workouts, a week); delivery n > 1, in files ending
    in `_<n>` (of events, `-<n - 1>`; of the gyms, the first in `_1`), brings what changed at the
    sources since. The same scale and seed give the same bytes, whichever other sources and
    deliveries are asked for.

    Raises ValueError for a source that is not in `SOURCES`, a scale that is not above 0 or
    deliveries below 1; nothing is written then.
    """
    names = list(SOURCES) if sources is None else list(sources)
    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        raise ValueError(f"unknown source {', '.join(unknown)}; known are {', '.join(SOURCES)}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be a number above 0, not {scale}")
    if deliveries < 1:
        raise ValueError(f"deliveries must be 1 or more, not {deliveries}")
    streams = Streams(seed)
    return [
        path
        for delivery in range(1, deliveries + 1)
        for name in names
        for path in SOURCES[name](out / name, scale, streams, delivery)
    ]
