"""Tables of a database: every committed change lands, once, also what is written meanwhile or late."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from ingestion.connectors import postgres, postgres_table
from ingestion.connectors.extract import Extraction, Request, extract
from ingestion.connectors.pages import landed_pages
from ingestion.connectors.stream import Stream
from ingestion.contracts import SourceTable
from tests.python.postgres import PASSWORD, postgres_programs, postgres_server

pytestmark = pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")

NO_KEY = """
alter table shipments drop constraint shipments_pkey, alter id drop not null;
insert into shipments (id) values (null)
"""
COLUMNS = {
    "id": "bigint",
    "carrier": "string",
    "weight": "decimal(18,4)",
    "extra": "string",
    "updated_at": "timestamp",
}


def declare(resource: str = "shipments", **extract: Any) -> SourceTable:
    """A table of shipments with a declaration of its extraction."""
    declared = {"connector": "postgres", "resource": resource, "cursor": "updated_at"} | extract
    return SourceTable.model_validate(
        {
            "source": "shipping",
            "name": "shipments",
            "identifier": "shipping_shipments",
            "arrives": {
                "path": "shipping/shipments/*.json",
                "format": "json",
                "delivery": "changes",
                "keys": ["id"],
                "extract": declared,
            },
            "columns": [{"name": n, "data_type": kind, "description": ""} for n, kind in COLUMNS.items()],
        }
    )


@dataclass
class Database:
    """A table of shipments, and what is extracted of it."""

    url: str
    landing: Path

    def run(self, query: str, *parameters: Any) -> None:
        """Run a statement and commit it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query, parameters)

    def add(self, count: int, at: str = "now() - interval '1 hour'") -> None:
        """Add shipments, of which ten have the same time."""
        self.run(
            "insert into shipments (carrier, weight, updated_at) "
            f"select 'c' || n, n + 0.10, {at} + interval '1 millisecond' * (n / 10) "
            f"from generate_series(1, {count}) n"
        )

    def extract(self, table: SourceTable | None = None, url: str = "", **request: Any) -> Extraction:
        """Extract, whatever becomes of it."""
        settings = {"DATABASE_URL": SecretStr(url or self.url)}
        (done,) = extract([Stream(table or declare())], settings, str(self.landing), Request(**request))
        return done

    def done(self, table: SourceTable | None = None, **request: Any) -> Extraction:
        """Extract, which has to succeed."""
        extraction = self.extract(table, **request)
        assert extraction.error is None
        return extraction

    def error(self, table: SourceTable | None = None, url: str = "") -> str:
        """Extract, which has to fail; with what."""
        extraction = self.extract(table, url)
        assert extraction.error is not None
        return extraction.error

    def landed(self) -> list[dict[str, Any]]:
        """Landed records in their order."""
        pages = landed_pages(str(self.landing), Stream(declare()))
        return [json.loads(line) for _, file in pages for line in Path(file.path).read_text().splitlines()]

    def ids(self) -> list[int]:
        """Ids of the landed records in their order."""
        return [row["id"] for row in self.landed()]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a database."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def database(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An empty table, of which a page has a hundred rows."""
    monkeypatch.setattr(postgres, "PAGE", 100)
    monkeypatch.setattr(postgres_table, "PAGE", 100)
    database = Database(server, tmp_path / "landing")
    database.run("drop table if exists shipments")
    database.run(
        "create table shipments (id bigserial primary key, carrier text, weight numeric, extra json, "
        "updated_at timestamptz default now(), secret text)"
    )
    return database


def test_rows_land_as_they_are_and_once(database: Database) -> None:
    database.add(250)
    extra = '{"a":\n [1.50, "line\\nend \\\\ \\" \\u0001"],\r\n "b": null}'
    database.run(
        "insert into shipments values "
        "(251, 'Zoë\t\"\\', 12345678901234.1200, %s, '2026-01-01 00:00+05', 'x')",
        extra,
    )
    extraction = database.done()
    assert (extraction.pages, extraction.records, extraction.notes) == (3, 251, ())
    rows = database.landed()
    # The oldest comes first.
    assert [row["id"] for row in rows] == [251, *range(1, 251)]
    assert rows[0].keys() == COLUMNS.keys()
    line = Path(landed_pages(str(database.landing), Stream(declare()))[0][1].path).read_text().splitlines()[0]
    assert '"weight":12345678901234.1200' in line
    assert rows[0]["carrier"] == 'Zoë\t"\\' and rows[0]["extra"] == json.loads(extra)
    assert datetime.fromisoformat(rows[0]["updated_at"]) == datetime(2025, 12, 31, 19, tzinfo=UTC)
    again = database.done()
    assert (again.records, again.pages) == (0, 1)


def test_what_changed_lands_again(database: Database) -> None:
    database.add(250)
    database.done()
    database.run("update shipments set carrier = 'new', updated_at = now() where id in (3, 200)")
    database.add(1, at="now()")
    assert database.done().records == 3
    assert database.ids()[250:] == [3, 200, 251]
    assert database.done().records == 0


def test_a_long_transaction_is_waited_for_and_holds_nothing_else_back(database: Database) -> None:
    database.add(5)
    with psycopg.connect(database.url) as late:
        late.execute("update shipments set carrier = 'late', updated_at = now() where id = 2")
        (began,) = late.execute("select now()").fetchone() or ()
        database.run("update shipments set carrier = 'early', updated_at = clock_timestamp() where id = 4")
        extraction = database.done()
        assert extraction.window.until == min(began, extraction.window.until)
        assert database.done().records == 0
        late.commit()
    assert database.done().records == 1
    assert [(row["id"], row["carrier"]) for row in database.landed()[-2:]] == [(4, "early"), (2, "late")]


def test_rows_that_are_updated_meanwhile_are_neither_lost_nor_half_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.add(350)
    copy = postgres.Postgres._copy
    pages = 0

    def update_then_copy(self: Any, *arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        database.run(
            "update shipments set carrier = 'meanwhile', updated_at = now() where id %% 100 = %s", pages
        )
        return copy(self, *arguments)

    monkeypatch.setattr(postgres.Postgres, "_copy", update_then_copy)
    # The rows are those of one moment, which the first query begins.
    assert database.done().records == 350
    monkeypatch.undo()
    monkeypatch.setattr(postgres, "PAGE", 100)
    monkeypatch.setattr(postgres_table, "PAGE", 100)
    database.done()
    newest = {row["id"]: row["carrier"] for row in database.landed()}
    with psycopg.connect(database.url) as connection:
        assert newest == dict(connection.execute("select id, carrier from shipments").fetchall())


_UPDATES = """
import random, sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    print("begun", flush=True)
    while True:
        rows = random.sample(range(1, 1_000_001), 50)
        connection.execute(
            "update shipments set carrier = 'meanwhile', updated_at = now() where id = any(%s)", [rows]
        )
"""


@pytest.mark.soak
def test_a_million_rows_while_another_process_updates_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE", 50_000)
    monkeypatch.setattr(postgres_table, "PAGE", 50_000)
    database.add(1_000_000)
    database.run("create index on shipments (updated_at, id)")
    command = [sys.executable, "-c", _UPDATES, database.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout and other.stdout.readline()
            first = database.done()
            during = database.done()
        finally:
            other.kill()
    assert first.records >= 1_000_000 and during.records > 0
    database.done()
    newest = {row["id"]: row["carrier"] for row in database.landed()}
    with psycopg.connect(database.url) as connection:
        assert newest == dict(connection.execute("select id, carrier from shipments").fetchall())
    assert database.done().records == 0


def test_equal_times_go_on_behind_the_last_key(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.run(
        "insert into shipments (carrier, updated_at) select 'c', '2026-01-01' from generate_series(1, 350)"
    )
    copy = postgres.Postgres._copy
    pages = 0

    def fail_once(self: Any, *arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 3:
            database.run(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and xact_start is not null"
            )
        return copy(self, *arguments)

    monkeypatch.setattr(postgres.Postgres, "_copy", fail_once)
    told = database.error()
    assert told.startswith("shipping.shipments, page 3: ") and "repeat the command" in told
    assert len(database.ids()) == 200
    assert database.done().pages == 2
    assert database.ids() == list(range(1, 351))


def test_rows_without_a_time_are_counted_and_land_when_they_change(database: Database) -> None:
    database.add(5)
    database.run(
        "insert into shipments (carrier, updated_at) select 'none', null from generate_series(1, 120)"
    )
    first = database.done()
    assert first.records == 125
    assert first.notes == ("120 rows have no updated_at: they are read again each time",)
    assert database.done().records == 0
    database.run("update shipments set carrier = 'some' where id = 100")
    assert database.done().records == 1
    assert database.landed()[-1]["carrier"] == "some"
    database.run("update shipments set carrier = 'none' where id = 100")
    assert database.done().records == 1


def test_a_user_who_does_not_see_transactions_gets_a_margin_and_is_told(database: Database) -> None:
    database.run("drop role if exists reader")
    database.run("create role reader login password 'reader-pass'")
    database.run("grant select on shipments to reader")
    database.add(5)
    url = database.url.replace(f"owner:{PASSWORD}", "reader:reader-pass")
    first = database.extract(url=url)
    assert first.error is None and "Grant it pg_read_all_stats" in first.notes[0]
    with psycopg.connect(database.url) as late:
        late.execute("update shipments set carrier = 'late', updated_at = now() where id = 2")
        assert database.extract(url=url).records == 0
        late.commit()
    assert database.extract(url=url).records == 1
    assert first.window.until is not None
    assert timedelta(minutes=14) < datetime.now(UTC) - first.window.until < timedelta(minutes=16)
    database.run("revoke all on shipments from reader")
    database.run("drop role reader")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "alter table shipments rename updated_at to changed_at",
            "has no column updated_at, but id, carrier, weight, extra, changed_at, secret: correct",
        ),
        ("alter table shipments drop column weight", "shipments has no column weight, but id, carrier"),
        ("alter table shipments alter updated_at type text", "shipments.updated_at is no timestamp but text"),
        ("drop table shipments", "there is no table 'shipments' that the database's user may see"),
        (NO_KEY, "1 rows have no id, which is a key"),
        ("update shipments set updated_at = 'infinity'", "infinity"),
    ],
)
def test_a_table_that_is_not_as_declared_is_refused(database: Database, change: str, told: str) -> None:
    database.add(5)
    database.run(change)
    error = database.error()
    assert error.startswith("shipping.shipments, page 1: ") and told in error


def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        wrong = database.error(url=database.url.replace(PASSWORD, "canary-wrong"))
        nowhere = database.error(url="postgresql://owner:canary-wrong@127.0.0.1:1/postgres")
        nonsense = database.error(url="host=127.0.0.1 pass word=canary-wrong")
    for told in (wrong, nowhere, nonsense):
        assert "check DATABASE_URL" in told and "canary" not in told
    assert "canary" not in caplog.text


def test_a_view_in_a_schema_is_a_table_too(database: Database) -> None:
    database.add(250)
    database.run("create schema if not exists sales")
    database.run("drop view if exists sales.parcels")
    database.run("create view sales.parcels as select * from shipments")
    assert database.done(declare("sales.parcels")).records == 250
    database.run("drop view sales.parcels")
