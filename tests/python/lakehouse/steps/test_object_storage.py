"""A lakehouse whose landing zone and bronze tables are in object storage: from upload to gold."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import boto3
import pytest

from ...object_storage import check_credentials, s3_environment, s3_server, s3_variables
from ..conftest import NO_DATA_TESTS, Lakehouse, order_lines, to_cents

SOURCES = ("--source", "storefront", "--source", "events")
PLACES = {"LAKEHOUSE_LANDING": "s3://lake/landing", "LAKEHOUSE_BRONZE": "s3://lake/bronze"}
AGGREGATES = (
    "profit_cube",
    "profit_by_year",
    "profit_by_category",
    "profit_by_sub_category",
    "profit_by_customer",
)


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """The first delivery of storefront and events, uploaded, loaded and built."""
    folder = tmp_path_factory.mktemp("remote")
    with s3_server(folder) as endpoint, s3_environment(endpoint):
        boto3.Session().client("s3").create_bucket(Bucket="lake")
        lakehouse = Lakehouse(folder, settings=NO_DATA_TESTS | s3_variables(endpoint) | PLACES)
        lakehouse.deliver(1)
        lakehouse.run_apart("lakehouse", "upload", str(lakehouse.landing))
        assert "0 failed" in lakehouse.run_apart("lakehouse", "run", *SOURCES)
        yield lakehouse


def test_every_order_line_is_there_to_the_cent(remote: Lakehouse) -> None:
    lines = order_lines(remote, "Order.json")
    cents = sum((to_cents(line["Profit"]) for line in lines), Decimal(0))
    assert remote.rows("select count(*), sum(profit) from gold.fct_orders") == [(len(lines), cents)]
    for table in AGGREGATES:
        assert remote.value(f"select sum(profit) from gold.{table}") == cents, table
    percent = sum(isinstance(line["Price"], str) for line in lines)
    assert percent > 0
    repaired = "select count(*) from gold.order_line_exceptions where exception = 'repaired price'"
    assert remote.value(repaired) == percent


def test_every_good_event_is_there_and_the_warning_is_in_quarantine(remote: Lakehouse) -> None:
    text = (remote.landing / "events" / "file-0.json").read_text()
    good = sum(line.endswith('"}') for line in text.splitlines())
    for table in ("events_by_action", "events_by_hour"):
        assert remote.value(f"select sum(event_count) from gold.{table}") == good, table
    quarantined = remote.rows("select _source_file, record from ops.quarantine where source = 'events'")
    assert {path for path, _ in quarantined} == {"s3://lake/landing/events/file-0.json"}
    assert any("WARNING" in str(record) for _, record in quarantined)


def test_bronze_can_be_queried_by_name_where_it_lies(remote: Lakehouse) -> None:
    sql = "select count(*) as n from bronze.storefront_orders"
    output = remote.run_apart("lakehouse", "query", sql, "--format", "csv")
    assert output.split() == ["n", str(len(order_lines(remote, "Order.json")))]
    assert not (remote.home / "warehouse" / "bronze.db" / "storefront_orders").exists()


def _at_hand(remote: Lakehouse) -> Lakehouse:
    """What is on the disk, for commands in this process, which knows another object storage."""
    return Lakehouse(remote.folder)


def test_the_analysts_queries_run_as_they_are(remote: Lakehouse) -> None:
    files = sorted(Path("analyses").glob("storefront_profit_by_*.sql"))
    assert len(files) == 4
    for file in files:
        output = _at_hand(remote).run("query", "--file", str(file), "--format", "csv")
        header, *rows = output.splitlines()
        assert header.endswith("profit") and rows, file


def test_what_cannot_be_restored_says_why(remote: Lakehouse) -> None:
    lakehouse = _at_hand(remote)
    assert "only ever grows" in lakehouse.run("restore", "ops.loads", "--to", "0", exit_code=2)
    assert "There is no table nothing" in lakehouse.run("history", "nothing", exit_code=2)
    assert "not 99" in lakehouse.run("restore", "fct_orders", "--to", "99", exit_code=1)


def test_an_object_that_is_overwritten_is_loaded_again(remote: Lakehouse) -> None:
    body = b'{"time":1,"action":"Open"}\n'
    boto3.Session().client("s3").put_object(Bucket="lake", Key="landing/events/late.json", Body=body)
    assert "late.json" in remote.run_apart("lakehouse", "load", "--source", "events")
    boto3.Session().client("s3").put_object(Bucket="lake", Key="landing/events/late.json", Body=body * 2)
    assert "late.json" in remote.run_apart("lakehouse", "load", "--source", "events")
    assert "Nothing new" in remote.run_apart("lakehouse", "load", "--source", "events")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"LAKEHOUSE_LANDING": "s3://no-such-bucket/landing"}, "the bucket does not exist"),
        ({"LAKEHOUSE_LANDING": "s3://"}, "write s3://bucket/prefix"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "the server does not answer"),
    ],
)
def test_what_is_wrong_with_the_storage_is_said(
    remote: Lakehouse, settings: dict[str, str], message: str
) -> None:
    broken = Lakehouse(remote.folder, settings=remote.settings | settings)
    output = broken.run_apart("lakehouse", "load", exit_code=2)
    assert message in output
    assert "Traceback" not in output


def test_wrong_credentials_are_said(tmp_path: Path) -> None:
    with s3_server(tmp_path) as endpoint:
        right = check_credentials(endpoint)
        lakehouse = Lakehouse(tmp_path, settings={**right, **PLACES, "AWS_SECRET_ACCESS_KEY": "wrong"})
        assert "access is denied" in lakehouse.run_apart("lakehouse", "load", exit_code=2)
