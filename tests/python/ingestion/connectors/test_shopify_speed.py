"""Extracting orders beside a plain loop of the same requests that writes nothing; memory does not grow."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from ingestion.connectors.shopify.documents import read_documents
from tests.python import PROJECT

from .shopify import TOKEN, Store, open_store

pytestmark = pytest.mark.soak


def measured(store: Store, landing: Path) -> tuple[float, float]:
    """Seconds and MB of an extraction in a process of its own."""
    command = [sys.executable, "-m", "tests.python.ingestion.connectors.killed_shopify"]
    done = subprocess.run(
        [*command, str(landing), store.server.url],
        cwd=PROJECT,
        env=os.environ,
        capture_output=True,
        check=True,
    )
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def plain_loop(store: Store) -> float:
    """Seconds for the same pages, asked with nothing but `requests`."""
    session, started = requests.Session(), time.monotonic()
    session.headers["X-Shopify-Access-Token"] = TOKEN
    variables = {"first": 10, "after": None, "size": 20, "inner": 10}
    while True:
        body = {"query": read_documents("orders").page, "variables": variables}
        url = f"{store.server.url}/admin/api/2026-10/graphql.json"
        page = session.post(url, json=body, timeout=60).json()["data"]["orders"]["pageInfo"]
        if not page["hasNextPage"]:
            return time.monotonic() - started
        variables["after"] = page["endCursor"]


def test_extraction_is_as_fast_as_its_requests(tmp_path: Path) -> None:
    with open_store(tmp_path, most_cost=1000) as store:
        store.server.before = lambda number: store.clock.sleep(10)
        store.add(500, lines=2)
        _, few = measured(store, tmp_path / "few")
        store.add(1500, lines=2)
        seconds, many = measured(store, tmp_path / "many")
        asked = store.asked()
        floor = plain_loop(store)
        assert store.asked() - asked == 200
        print(f"extraction {seconds:.1f} s, plain loop {floor:.1f} s, {few:.0f} to {many:.0f} MB")
        assert seconds < 1.3 * floor
        assert many < few + 10
