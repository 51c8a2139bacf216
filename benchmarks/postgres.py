"""Extraction of a million rows beside a copy of the same query by psql: `python -m benchmarks.postgres`."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from pydantic import SecretStr

from ingestion.connectors.extract import extract
from ingestion.connectors.stream import Stream
from ingestion.contracts import read_contracts
from tests.python.postgres import postgres_programs, postgres_server

_ROUNDS = 3
_SHIPMENTS = """
create table shipments (
    id bigint primary key, order_reference text, carrier text, status text, shipped_at timestamptz,
    promised_at timestamptz, delivered_at timestamptz, updated_at timestamptz, note text
);
insert into shipments
select
    n, '#' || n, 'UPS', 'delivered', day, day + interval '3 days', day + interval '2 days',
    day + interval '2 days', null
from (
    select n, timestamptz '2026-01-01' + interval '1 second' * n as day from generate_series(1, {rows}) n
) as numbered;
create index on shipments (updated_at, id);
analyze shipments
"""


def main(rows: int) -> None:
    """Print seconds, their ratio, and the memory of the extraction."""
    programs = postgres_programs()
    assert programs is not None
    (table,) = read_contracts(Path("models/silver/shipping"))
    columns = ", ".join(column.header for column in table.columns)
    query = f"select row_to_json(page) from (select {columns} from shipments order by updated_at, id) as page"
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_SHIPMENTS.format(rows=rows))
        extraction, copy = [], []
        for number in range(_ROUNDS):
            started = time.perf_counter()
            landing = f"{folder}/landing-{number}"
            (done,) = extract([Stream(table)], {"DATABASE_URL": SecretStr(url)}, landing)
            extraction.append(time.perf_counter() - started)
            assert (done.error, done.records) == (None, rows)
            started = time.perf_counter()
            told = f"\\copy ({query}) to '{folder}/copied'"
            subprocess.run([programs / "psql", url, "-qc", told], check=True)
            copy.append(time.perf_counter() - started)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{rows:,} rows: extraction {min(extraction):.2f} s, psql {min(copy):.2f} s, "
            f"ratio {min(extraction) / min(copy):.2f}; at most {memory:.0f} MiB"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
