"""Extraction by the command line: from an API to silver, what is shown and recorded, and what fails."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion.connectors import KINDS
from sampledata import servers
from sampledata.servers import Call, Reply
from tests.python.ingestion.connectors.api import KEY, Api, Fault, serve

from ..conftest import Lakehouse

SOURCE = ("--source", "transactions")


@pytest.fixture
def api() -> Iterator[Api]:
    """An API with 250 transactions."""
    with serve(Api()) as api:
        api.rows = [
            {
                "id": f"t{number}",
                "order_reference": f"SO{number}",
                "customer_email": "Ann@Example.com",
                "amount": 12.50,
                "currency": "USD",
                "status": "paid",
                "created_at": "2026-11-30T10:00:00+01:00",
                "updated_at": f"2026-11-30T10:{number // 60:02}:{number % 60:02}.000000Z",
            }
            for number in range(250)
        ]
        yield api


@pytest.fixture
def lakehouse(tmp_path: Path, api: Api) -> Lakehouse:
    """An empty home and landing zone, with the API's settings."""
    lakehouse = Lakehouse(tmp_path, {"API_URL": api.url, "API_KEY": KEY, "DATABASE_URL": ""})
    lakehouse.landing.mkdir()
    return lakehouse


def test_a_run_brings_an_api_to_silver_goes_on_without_it_and_then_where_it_stopped(
    lakehouse: Lakehouse, api: Api
) -> None:
    lakehouse.landing.rmdir()
    api.faults = {3: Fault(403)}
    output = lakehouse.run("run", *SOURCE, exit_code=1)
    assert "Extracting transactions.transactions" in output and " 0 failed" in output
    assert "failed transactions.transactions, page 3: " in output
    assert "failed: transactions.transactions, page 3: " in lakehouse.run("status")
    assert lakehouse.rows(
        "select count(*), sum(amount), max(customer_email), min(created_at) "
        "from silver.stg_transactions__transactions"
    ) == [(200, 2500, "ann@example.com", datetime(2026, 11, 30, 9))]
    api.now += timedelta(hours=1)
    api.rows[7] |= {"status": "refunded", "updated_at": "2026-11-30T12:30:00.000000Z"}
    assert " 0 failed" in lakehouse.run("run", *SOURCE)
    assert lakehouse.rows(
        "select count(*), max(transaction_id) filter (where status = 'refunded') "
        "from silver.stg_transactions__transactions"
    ) == [(250, "t7")]
    accounted = (
        "select bronze_rows, silver_rows, superseded_rows from ops.row_accounting order by bronze_rows"
    )
    assert lakehouse.rows(accounted)[-1] == (251, 250, 1)
    assert lakehouse.rows(
        "select source, table_name, window_from, window_until, pages, records, requests, error is null "
        "from ops.extracts order by started_at"
    ) == [
        ("transactions", "transactions", None, datetime(2026, 11, 30, 11, 59), 2, 200, 3, False),
        ("transactions", "transactions", None, datetime(2026, 11, 30, 11, 59), 1, 51, 1, True),
    ]
    files = (file for file in lakehouse.folder.rglob("*") if file.is_file())
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_a_cleaned_source_is_loaded_again_and_its_extraction_goes_on(lakehouse: Lakehouse, api: Api) -> None:
    lakehouse.run("extract", "transactions")
    lakehouse.run("load", *SOURCE)
    output = lakehouse.run("clean", "transactions", "--yes")
    assert "`lakehouse extract transactions --full` asks for everything anew" in output
    assert lakehouse.rows("select count(*) from ops.extracts") == [(0,)]
    api.now += timedelta(hours=1)
    lakehouse.run("extract", "transactions")
    lakehouse.run("load", *SOURCE)
    assert lakehouse.rows("select records from ops.extracts") == [(0,)]
    assert lakehouse.rows("select count(*) from bronze.transactions_transactions") == [(250,)]
    output = lakehouse.run("status")
    assert "done, has all until 2026-11-30 12:59" in output


def test_a_stream_that_fails_is_named_and_stops_only_itself(lakehouse: Lakehouse, api: Api) -> None:
    lakehouse.settings["DATABASE_URL"] = "postgresql://reader:canary-pass@127.0.0.1:1/shipping"
    output = lakehouse.run("extract", exit_code=1)
    assert "failed shipping.shipments, page 1: connection" in output and "check DATABASE_URL" in output
    assert "Streams that could not be extracted, see above: shipping.shipments. What landed" in output
    assert "canary" not in output
    assert lakehouse.rows(
        "select table_name, records, error is null from ops.extracts order by table_name"
    ) == [
        ("shipments", 0, False),
        ("transactions", 250, True),
    ]


def test_a_dry_run_tells_windows_and_does_nothing(lakehouse: Lakehouse, api: Api) -> None:
    output = lakehouse.run("extract", "--dry-run")
    assert "transactions.transactions  the beginning  now" in output and "Nothing was done." in output
    assert (api.asked, list(lakehouse.landing.iterdir())) == ([], [])
    lakehouse.run("extract", "transactions")
    output = lakehouse.run("extract", "--dry-run", "transactions.transactions", "--since", "2026-11-30")
    assert "2026-11-30 00:00:00" in output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("shipping",), "shipping.shipments cannot be extracted without DATABASE_URL. See .env.example."),
        (("crm",), "crm is not extracted; sources and tables that are: shipping, shipping.shipments"),
        (("--since", "soon"), "--since 'soon' is no time: write it as 2026-11-30"),
        (("--since", "2026-11-30", "--full"), "Give --since or --full, not both."),
    ],
)
def test_wrong_usage_says_what_is_right(lakehouse: Lakehouse, arguments: tuple[str, ...], told: str) -> None:
    assert told in lakehouse.run("extract", *arguments, exit_code=2)


class Echo:
    """A server that refuses all, and tells what it was sent."""

    def answer(self, call: Call) -> Reply:
        return Reply(403, {}, {"denied": [str(call.headers), call.body.decode()]})


def test_no_secret_is_found_in_any_output_log_table_or_plan(tmp_path: Path) -> None:
    secret = {name for kind in KINDS.values() for name in {*sum(kind.needs, ()), *kind.takes} - kind.public}
    lakehouse = Lakehouse(tmp_path, {"SHOPIFY_CLIENT_ID": "canary-id", "SHOPIFY_CLIENT_SECRET": "canary-s"})
    lakehouse.settings |= {"API_KEY": "canary-a", "STRIPE_API_KEY": "sk_test_canary", "LAKEHOUSE_DEBUG": "1"}
    lakehouse.settings["DATABASE_URL"] = "postgresql://reader:canary-p@127.0.0.1:1/shipping"
    with servers.serve(Echo()) as url:
        lakehouse.settings |= dict.fromkeys(["API_URL", "SHOPIFY_SHOP", "STRIPE_API_URL"], url)
        told = lakehouse.run("extract", exit_code=1)
        lakehouse.settings["SHOPIFY_ACCESS_TOKEN"] = "canary-t"
        assert secret <= lakehouse.settings.keys()
        told += lakehouse.run("extract", exit_code=1)
        told += lakehouse.run("extract", "--dry-run", exit_code=1) + lakehouse.run("status")
    assert told.count("answered 403") > 20 and "***" in told
    assert "canary" not in told
    files = (file for file in lakehouse.folder.rglob("*") if file.is_file())
    assert [file for file in files if b"canary" in file.read_bytes()] == []


def test_without_settings_there_is_nothing_to_extract(lakehouse: Lakehouse) -> None:
    lakehouse.settings |= {"API_URL": "", "API_KEY": ""}
    assert "No connector is configured. Set what it needs" in lakehouse.run("extract", exit_code=2)
