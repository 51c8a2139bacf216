"""Extraction of 10,000 charges beside a plain loop of the same requests: `python -m benchmarks.stripe`."""

import multiprocessing
import multiprocessing.connection
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import requests
from pydantic import SecretStr

from ingestion.connectors import stripe_client
from ingestion.connectors.bucket import Bucket
from ingestion.connectors.extract import extract
from ingestion.connectors.stream import Stream
from ingestion.contracts import read_contracts
from sampledata.servers import Call, serve
from sampledata.servers.stripe import Account
from sampledata.servers.stripe_objects import charge

_KEY = "rk_test_benchmark"
_CURRENCIES = ["usd", "eur", "gbp", "jpy", "krw", "vnd", "kwd", "bhd", "ugx", "isk"]
_ROUNDS = 3


def main() -> None:
    """Print seconds, their ratio, and the memory of extractions of 10,000 and 40,000 charges."""
    with tempfile.TemporaryDirectory() as folder:
        account, url = _serve(10_000)
        for rate in (stripe_client.RATE, 1_000_000):
            # Without a limit, what is measured is the program and the disk.
            stripe_client.RATE = rate
            extraction, loop, asked = [], [], []
            for number in range(_ROUNDS):
                started = time.perf_counter()
                _extract(url, f"{folder}/{rate}-{number}")
                extraction.append(time.perf_counter() - started)
                asked = account.recv()
                started = time.perf_counter()
                _loop(url, asked, Bucket(rate))
                loop.append(time.perf_counter() - started)
                account.recv()
            print(
                f"{len(asked)} requests, at most {rate:,} a second: extraction {min(extraction):.2f} s, "
                f"loop {min(loop):.2f} s, ratio {min(extraction) / min(loop):.2f}"
            )
        for count in (10_000, 40_000):
            _, url = _serve(count)
            process = multiprocessing.Process(target=_measure, args=(url, f"{folder}/{count}", count))
            process.start()
            process.join()


def _serve(count: int) -> tuple["_Asked", str]:
    """An account in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=_run, args=(theirs, count), daemon=True).start()
    return _Asked(ours), ours.recv()


class _Asked:
    def __init__(self, pipe: "multiprocessing.connection.Connection") -> None:
        self._pipe = pipe

    def recv(self) -> list[Call]:
        """What was asked since the last time."""
        self._pipe.send(None)
        return list(self._pipe.recv())


def _run(pipe: "multiprocessing.connection.Connection", count: int) -> None:
    now = int(datetime.now(UTC).timestamp())
    account = Account(_KEY)
    for number in range(count):
        currency = _CURRENCIES[number % len(_CURRENCIES)]
        account.put("charges", charge(f"ch_{number:08}", now - 7 * (count - number), 100 + number, currency))
    with serve(account) as url:
        pipe.send(url)
        while True:
            pipe.recv()
            pipe.send(account.asked)
            account.asked = []


def _extract(url: str, landing: str) -> None:
    tables = read_contracts(Path("models/silver/stripe"))
    stream = Stream(next(table for table in tables if table.name == "charges"))
    settings = {"STRIPE_API_URL": SecretStr(url), "STRIPE_API_KEY": SecretStr(_KEY)}
    (extraction,) = extract([stream], settings, landing)
    if extraction.error:
        sys.exit(extraction.error)


def _loop(url: str, asked: list[Call], bucket: Bucket) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {_KEY}"
        for call in asked:
            bucket.take()
            session.get(url + call.path, params=call.query, timeout=60).json()


def _measure(url: str, landing: str, count: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    _extract(url, landing)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count:,} charges: {seconds:.1f} s, at most {after / 1024:.0f} MiB, {before / 1024:.0f} before")


if __name__ == "__main__":
    main()
