"""Sessions and their funnel, from clicks that come late, twice and in any order."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..conftest import NO_DATA_TESTS, Lakehouse, differing

Click = dict[str, Any]

SOURCES = ("--source", "clickstream", "--source", "shopify")
CHAIN = ("--select", "+fct_sessions", "conversion_funnel")
STEPS = ["page_view", "product_view", "add_to_cart", "checkout", "purchase"]
# Pauses in seconds, some of which end a session and some just do not.
PAUSES = [20, 60, 600, 1799, 1800, 1801, 2400]


def test_clicks_in_any_order_give_the_sessions_of_those_in_order(tmp_path: Path) -> None:
    clicks = _clicks()
    ordered = _built(tmp_path / "ordered", [clicks])
    assert ordered.value("select count(*) from gold.fct_sessions where part > 1") != 0

    draw = random.Random(8)
    sent = [*clicks, *draw.sample(clicks, len(clicks) // 5)]
    draw.shuffle(sent)
    shuffled = _built(tmp_path / "shuffled", [sent[place::2] for place in range(2)])
    assert differing(shuffled.contents("gold"), ordered.contents("gold")) == []


def _built(folder: Path, deliveries: Sequence[Sequence[Click]]) -> Lakehouse:
    """A lakehouse that was built after each of these deliveries."""
    lakehouse = Lakehouse(folder, dict(NO_DATA_TESTS))
    landed = lakehouse.landing / "clickstream"
    landed.mkdir(parents=True)
    for number, clicks in enumerate(deliveries):
        lines = "".join(json.dumps(click) + "\n" for click in clicks)
        (landed / f"clicks_{number}.jsonl").write_text(lines)
        lakehouse.run("load", *SOURCES)
        lakehouse.run("build", *CHAIN)
    return lakehouse


def _clicks() -> list[Click]:
    """Clicks of 80 visits, in the order of time."""
    draw = random.Random(7)
    found = []
    for visit in range(80):
        at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=draw.randrange(24 * 3600))
        for place in range(draw.randrange(1, 12)):
            found.append(
                {
                    "event_id": f"{visit}-{place}",
                    "event_time": at.isoformat(),
                    "user_id": str(visit % 9) if draw.random() < 0.3 else None,
                    "anonymous_id": f"browser-{visit % 20}",
                    "session_id": f"visit-{visit}" if visit % 6 else None,
                    "event_type": draw.choice(STEPS),
                    "page": "/",
                }
            )
            at += timedelta(seconds=draw.choice(PAUSES))
    return sorted(found, key=lambda click: str(click["event_time"]))
