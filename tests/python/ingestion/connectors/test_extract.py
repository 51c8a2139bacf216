"""Extraction: what changed lands once, in windows that end by the server's clock."""

import json
from datetime import datetime, timedelta

import pytest

from ingestion.connectors.extract import extract
from ingestion.connectors.pages import PageId
from ingestion.connectors.stream import Stream
from ingestion.landing.zone import FileGlob, list_folder

from .api import NOON, Fault
from .conftest import Zone, declare


def test_everything_lands_once_in_the_order_of_the_cursor(zone: Zone) -> None:
    zone.api.add(250)
    extraction = zone.done()
    assert (extraction.pages, extraction.records, extraction.traffic.requests) == (3, 250, 3)
    assert zone.ids() == list(range(1, 251))
    assert extraction.window.until == NOON - timedelta(seconds=60)


def test_a_second_pull_without_changes_writes_no_file_and_costs_one_request(zone: Zone) -> None:
    zone.api.add(250, NOON - timedelta(minutes=2))
    zone.done()
    files = zone.files()
    zone.api.now += timedelta(minutes=1)
    extraction = zone.done()
    assert (extraction.records, zone.files()) == (0, files)
    # All of the last ten minutes is asked for again, and known.
    assert extraction.window.since == NOON - timedelta(minutes=11)
    zone.api.now += timedelta(hours=1)
    zone.done()
    assert (zone.done().traffic.requests, zone.files()) == (1, files)


def test_what_changed_lands_again_and_nothing_else(zone: Zone) -> None:
    zone.api.add(250)
    zone.done()
    zone.api.now += timedelta(hours=1)
    zone.api.put(17, zone.api.now - timedelta(minutes=20), amount=9)
    assert zone.done().records == 1
    assert zone.landed()[-1] == {"id": 17, "amount": 9, "updated_at": "2026-11-30T12:40:00.000000Z"}


def test_what_is_committed_late_is_found_within_the_overlap(zone: Zone) -> None:
    zone.api.add(5)
    zone.done()
    zone.api.put(6, NOON - timedelta(minutes=9))
    zone.api.now += timedelta(hours=1)
    zone.done()
    assert zone.ids() == [1, 2, 3, 4, 5, 6]


def test_the_loader_takes_pages_and_nothing_else(zone: Zone) -> None:
    zone.api.add(1)
    zone.done()
    (file,) = zone.files()
    assert [found.path for found in list_folder(str(zone.landing)).files] == [str(file)]
    assert [found.path for found in FileGlob.of(declare(), str(zone.landing)).files()] == [str(file)]
    assert (zone.landing / "_state" / "pay" / "transactions.json").exists()


def test_a_page_tells_window_and_number() -> None:
    for page in (PageId(NOON, 3), PageId(NOON, 1_234_567, NOON - timedelta(microseconds=1))):
        assert PageId.parse(page.stamp) == page
    assert PageId.parse("2026-export") is None


def test_lost_state_is_rebuilt_from_what_landed(zone: Zone) -> None:
    zone.api.add(250, NOON - timedelta(minutes=2))
    zone.done()
    files = zone.files()
    (zone.landing / "_state" / "pay" / "transactions.json").unlink()
    (zone.landing / "pay" / "transactions" / "by_hand.json").write_text("{}\n")
    zone.api.now += timedelta(minutes=1)
    assert zone.done().records == 0
    assert zone.done(rebuild=True).records == 0
    assert [file for file in zone.files() if file.name != "by_hand.json"] == files


def test_broken_state_says_what_to_do(zone: Zone) -> None:
    zone.api.add(2)
    zone.done()
    (zone.landing / "_state" / "pay" / "transactions.json").write_text("{")
    assert "transactions.json cannot be read: extract with --rebuild-state" in zone.error()
    assert zone.done(rebuild=True).records == 0


def test_a_changed_declaration_is_not_taken_for_the_old_one(zone: Zone) -> None:
    zone.api.add(2)
    zone.done()
    changed = declare(options={"size": "50"})
    assert "extract it again with --full, or correct the contract" in zone.error(changed)
    assert zone.done(changed, full=True).records == 2
    assert zone.done(changed).records == 0


def test_full_lands_everything_again(zone: Zone) -> None:
    zone.api.add(3)
    zone.done()
    zone.api.now += timedelta(hours=1)
    assert zone.done(full=True).records == 3
    assert zone.ids() == [1, 2, 3, 1, 2, 3]


def test_since_asks_for_what_changed_from_a_time_on(zone: Zone) -> None:
    zone.api.add(3, step=3600)
    assert zone.done(since=NOON - timedelta(hours=2)).records == 2
    assert zone.done(since=NOON - timedelta(hours=9)).records == 3
    zone.api.now += timedelta(hours=9)
    told = zone.error(since=NOON + timedelta(hours=5))
    assert "what changed between" in told and "give an earlier --since, or none" in told


@pytest.mark.parametrize("days", [1, -1])
def test_the_clock_of_this_machine_does_not_matter(zone: Zone, days: int) -> None:
    zone.api.now = datetime.now(NOON.tzinfo).replace(microsecond=0) + timedelta(days=days)
    zone.api.add(3)
    assert zone.done().window.until == zone.api.now - timedelta(seconds=60)
    zone.api.now += timedelta(hours=1)
    zone.api.put(2, zone.api.now - timedelta(minutes=1))
    zone.done()
    assert zone.ids() == [1, 2, 3, 2]


def test_a_server_whose_clock_is_set_back_loses_nothing(zone: Zone) -> None:
    zone.api.add(3)
    until = zone.done().window.until
    zone.api.now -= timedelta(hours=5)
    assert zone.done().window.until == until


def test_two_runs_within_a_second_write_different_files(zone: Zone) -> None:
    table = declare(overlap=None)
    zone.api.add(1)
    for identity in range(2, 5):
        zone.done(table)
        zone.api.put(identity, zone.api.now)
    zone.done(table)
    assert zone.ids() == [1, 2, 3, 4]


def test_a_failing_stream_stops_only_itself(zone: Zone) -> None:
    zone.api.add(3)
    broken = declare("refunds", options={"records": "refunds"})
    first, second = zone.extract(broken, declare())
    assert first.error is not None and second.error is None
    assert first.error.startswith(
        "pay.refunds, page 1: there is no list of records at 'refunds', but ['data'"
    )
    assert zone.ids() == [1, 2, 3]


def test_missing_settings_are_named(zone: Zone) -> None:
    table = declare(settings={"API_KEY": "BILLING_KEY"})
    told = zone.error(table)
    assert told == "pay.transactions, page 1: the connector rest needs BILLING_KEY: see .env.example"


def test_a_window_goes_on_where_it_stopped(zone: Zone) -> None:
    zone.api.add(450)
    zone.api.faults = {3: Fault(403)}
    assert "403" in zone.error()
    assert len(zone.files()) == 2
    # Its end stays; what changed meanwhile is for the next window.
    zone.api.now += timedelta(hours=1)
    zone.api.put(450, zone.api.now - timedelta(minutes=30))
    extraction = zone.done()
    assert extraction.window.until == NOON - timedelta(seconds=60)
    assert extraction.pages == 3
    zone.done()
    assert zone.ids() == [*range(1, 450), 450]


def test_a_stream_without_cursor_lands_what_is_new(zone: Zone) -> None:
    table = declare(cursor=None, overlap=None)
    zone.api.add(250)
    zone.done(table)
    zone.api.put(3, NOON, amount=1)
    zone.api.now += timedelta(hours=1)
    assert zone.done(table).records == 1
    zone.api.now += timedelta(seconds=1)
    assert zone.done(table).records == 0
    # A record that is again what it was before has changed, too.
    zone.api.put(3, NOON, amount=2)
    zone.done(table)
    zone.api.put(3, NOON, amount=1)
    assert zone.done(table).records == 1
    (zone.landing / "_state" / "pay" / "transactions.json").unlink()
    assert zone.done(table).records == 0
    assert [row["amount"] for row in zone.landed() if row["id"] == 3] == [10.10, 1, 2, 1]


def test_state_stays_small(zone: Zone) -> None:
    zone.api.add(2000)
    zone.done()
    state = json.loads((zone.landing / "_state" / "pay" / "transactions.json").read_text())
    assert len(state["seen"]) == 0


def test_object_storage_is_a_landing_zone_too(zone: Zone, bucket: str) -> None:
    zone.api.add(150)
    streams = [Stream(declare())]
    for records in (150, 0, 1):
        (extraction,) = extract(streams, zone.settings, f"{bucket}/landing")
        assert (extraction.error, extraction.records) == (None, records)
        zone.api.now += timedelta(hours=1)
        if records == 0:
            zone.api.put(151, zone.api.now - timedelta(minutes=5))
    files = list(FileGlob.of(declare(), f"{bucket}/landing").files())
    assert [PageId.parse(file.path.rsplit("/", 1)[-1][:-5]) is not None for file in files] == [True] * 3
    assert sum(len(file.open().read().splitlines()) for file in files) == 151
