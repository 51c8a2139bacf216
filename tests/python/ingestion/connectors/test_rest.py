"""Any API by YAML: pages in three ways, and answers that cannot be trusted."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from .api import KEY, NOON, Fault
from .conftest import Zone, declare

BY_NUMBER = declare(options={"paging": "page", "next_parameter": "page"})


@pytest.mark.parametrize("paging", ["cursor", "link", "page"])
def test_pages_follow_each_other(zone: Zone, paging: str) -> None:
    zone.api.paging = paging
    zone.api.add(350)
    zone.done(declare(options={"paging": paging, "next_parameter": "page" if paging == "page" else "cursor"}))
    assert zone.ids() == list(range(1, 351))


@pytest.mark.parametrize("paging", ["cursor", "link", "page"])
def test_records_that_change_between_pages_push_none_out(zone: Zone, paging: str) -> None:
    zone.api.paging = paging
    zone.api.add(350)

    def change(number: int) -> None:
        if number == 3:
            zone.api.put(20, NOON - timedelta(minutes=5))
            zone.api.put(21, NOON - timedelta(minutes=5))

    zone.api.before = change
    zone.done(declare(options={"paging": paging, "next_parameter": "page" if paging == "page" else "cursor"}))
    assert zone.ids() == [*range(1, 351), 20, 21]


@pytest.mark.parametrize("paging", ["cursor", "link", "page"])
def test_equal_cursors_go_on_across_a_page_and_a_restart(zone: Zone, paging: str) -> None:
    zone.api.paging = paging
    zone.api.add(120)
    zone.api.add(130, step=0)
    zone.api.faults = {2: Fault(403)}
    table = declare(options={"paging": paging, "next_parameter": "page" if paging == "page" else "cursor"})
    zone.error(table)
    zone.done(table)
    assert zone.ids() == list(range(1, 251))


def test_a_server_that_gives_fewer_than_asked_for_is_asked_on(zone: Zone) -> None:
    zone.api.paging, zone.api.most = "page", 40
    zone.api.add(100)
    zone.done(BY_NUMBER)
    assert zone.ids() == list(range(1, 101))


def test_numbers_and_nested_objects_land_as_they_were_sent(zone: Zone) -> None:
    zone.api.put(1, NOON - timedelta(hours=1), amount=12.50, customer={"name": "Zoë", "tags": [1, 2.0]})
    zone.done()
    (file,) = zone.files()
    assert file.read_text() == (
        '{"id":1,"amount":12.5,"updated_at":"2026-11-30T11:00:00.000000Z","customer":{"name":"Zoë","tags":[1,2.0]}}\n'
    )


def wait_for(seconds: int) -> Fault:
    return Fault(429, {"Retry-After": str(seconds)})


def test_throttling_is_waited_out_and_counted(zone: Zone, patient: Callable[[], list[float]]) -> None:
    zone.api.add(250)
    later = Fault(503, {"Retry-After": "Mon, 30 Nov 2026 12:00:07 GMT"})
    zone.api.faults = {2: wait_for(3), 3: later, 5: Fault(500), 6: Fault(429)}
    extraction = zone.done()
    assert zone.ids() == list(range(1, 251))
    assert (extraction.traffic.requests, extraction.traffic.retries) == (7, 4)
    # By the server's clock, and never longer than a few minutes.
    assert patient()[:2] == [3, 7]
    assert len(patient()) == 4 and max(patient()) <= 7


@pytest.mark.parametrize("fault", [Fault(429), wait_for(1), Fault(503)])
def test_a_storm_ends(zone: Zone, patient: Callable[[], list[float]], fault: Fault) -> None:
    zone.api.faults = dict.fromkeys(range(1, 100), fault)
    told = zone.error()
    assert f"/transactions answered {fault.status}" in told and "try again later" in told
    assert len(zone.api.asked) == 9


@pytest.mark.parametrize(
    "fault", [Fault(200, body=b"<html>maintenance"), Fault(200, body=b'{"data": [{"id": 1}]}', cut=True)]
)
def test_an_answer_that_cannot_be_read_is_asked_for_again(
    zone: Zone, patient: Callable[[], list[float]], fault: Fault
) -> None:
    zone.api.add(250)
    zone.api.faults = {1: fault, 3: fault, 4: fault}
    assert zone.done().traffic.retries == 3
    assert zone.ids() == list(range(1, 251))


WRONG: list[tuple[Any, str]] = [
    (lambda n, a: [], "there is no list of records at 'data', but list: correct the option records"),
    (lambda n, a: a | {"data": [{"id": 1}]}, "a record has no 'updated_at', but ['id']: was it renamed?"),
    (lambda n, a: a | {"data": [{"updated_at": 1}]}, "a record has no 'id', but ['updated_at']"),
    (
        lambda n, a: changed(a, updated_at=None),
        "record 1: its cursor updated_at is null: records without one",
    ),
    (lambda n, a: changed(a, updated_at="soon"), "record 1: its cursor updated_at is 'xxxx', no time"),
    (lambda n, a: changed(a, updated_at=1.5), "its cursor updated_at is '9.9', no time"),
    (lambda n, a: a | {"data": a["data"][::-1]}, "the server does not filter or sort by the cursor"),
    (lambda n, a: {"data": [], "next_cursor": "x"}, "the page is empty, but promises more"),
    (lambda n, a: {"data": a["data"]}, "the page is full, but the answer has no 'next_cursor'"),
]


def changed(answer: dict[str, Any], **values: Any) -> dict[str, Any]:
    return answer | {"data": [answer["data"][0] | values, *answer["data"][1:]]}


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_an_answer_that_would_lose_records_is_refused(zone: Zone, change: Any, told: str) -> None:
    zone.api.add(250)
    zone.api.change = change
    error = zone.error()
    assert error.startswith("pay.transactions, page 1: ")
    assert told in error
    assert zone.files() == []


@pytest.mark.parametrize("limit", ["_MOST_BYTES", "_MOST_SECONDS"])
def test_an_answer_that_never_ends_is_refused(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(f"ingestion.connectors.http.{limit}", 0)
    zone.api.add(250)
    told = zone.error()
    assert told.startswith("pay.transactions, page 1: the answer does not end: ")
    assert told.endswith("bytes so far. Ask for smaller pages")


def test_the_same_cursor_twice_is_refused(zone: Zone) -> None:
    zone.api.add(250)
    first = f"{zone.api.rows[99]['updated_at']}|100"
    zone.api.change = lambda number, answer: answer | {"next_cursor": first}
    assert "page 2: the server gave the next page '" in zone.error()


def test_records_that_come_again_with_ever_new_cursors_are_refused(zone: Zone) -> None:
    zone.api.add(50, step=0)
    zone.api.change = lambda number, answer: {"data": zone.api.rows, "next_cursor": f"2026|{number}"}
    assert "page 2: the server answered with the same records twice" in zone.error()


def test_a_number_of_a_page_that_is_not_heard_is_noticed(zone: Zone) -> None:
    zone.api.paging = "page"
    zone.api.add(150, step=0)
    assert "correct next_parameter" in zone.error(declare(options={"paging": "page"}))


def test_a_server_that_does_not_know_the_filter_is_noticed(zone: Zone) -> None:
    table = declare(options={"since_parameter": "since"})
    zone.api.add(50)
    zone.done(table)
    zone.api.now += timedelta(hours=3)
    assert "the server does not filter or sort by the cursor" in zone.error(table)


def test_a_link_to_another_host_does_not_get_the_key(zone: Zone) -> None:
    with_link = declare(options={"paging": "link"})
    zone.api.add(250)
    link = {"Link": '<https://elsewhere.example/transactions>; rel="next"'}
    zone.api.faults = {1: Fault(200, link, b'{"data": [{"id": 1, "updated_at": "2026-11-30T11:00:00Z"}]}')}
    assert "the next page is at elsewhere.example, which the key is not for" in zone.error(with_link)


def test_a_key_that_is_refused_is_found_nowhere(zone: Zone, caplog: pytest.LogCaptureFixture) -> None:
    zone.api.add(10)
    with caplog.at_level(logging.DEBUG):
        zone.done()
        zone.api.faults = {2: Fault(401, body=f"no such key: {KEY}".encode())}
        told = zone.error()
    assert "answered 401" in told and "no such key: ***" in told and "check the key in the settings" in told
    assert KEY not in caplog.text
    assert all(KEY not in file.read_text() for file in zone.landing.rglob("*.json"))


def test_no_server_is_told_with_its_address(zone: Zone, patient: Callable[[], list[float]]) -> None:
    zone.api.url = "http://127.0.0.1:1"
    told = zone.error()
    assert "http://127.0.0.1:1/transactions does not answer" in told and "check its address" in told


def test_an_address_that_is_none_is_refused(zone: Zone) -> None:
    zone.api.url = "127.0.0.1:1"
    assert "API_URL is no address: write it as https://host/path" in zone.error()


def test_seconds_since_1970_are_a_cursor(zone: Zone) -> None:
    sent: list[dict[str, str]] = zone.api.asked
    rows = [{"id": n, "created": int((NOON - timedelta(hours=1)).timestamp()) + n // 3} for n in range(10)]
    table = declare(
        cursor="created", options={"since_parameter": "created_since", "parameters": "", "next": "next"}
    )
    zone.api.page = lambda query: (  # type: ignore[method-assign]
        {"data": [row for row in rows if row["created"] >= int(query.get("created_since", 0))], "next": None},
        {},
    )
    zone.done(table)
    zone.api.now += timedelta(hours=1)
    zone.done(table)
    assert sent[1]["created_since"] == str(int(NOON.timestamp()) - 60 - 600 - 1)
    assert len(zone.landed()) == 10
