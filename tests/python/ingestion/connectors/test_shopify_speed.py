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

from .shopify import TOKEN, open_store

pytestmark = pytest.mark.soak


def in_a_process(module: str, *arguments: str) -> list[float]:
    """What a module of this folder prints, in a process of its own."""
    command = [sys.executable, "-m", f"tests.python.ingestion.connectors.{module}", *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, check=True)
    return [float(figure) for figure in done.stdout.split()]


def plain_loop(url: str, first: str) -> float:
    """Seconds for the same pages, asked with nothing but `requests`."""
    session, started = requests.Session(), time.monotonic()
    session.headers["X-Shopify-Access-Token"] = TOKEN
    variables = {"first": int(first), "after": None, "size": 10, "inner": 10}
    while True:
        body = {"query": read_documents("orders").page, "variables": variables}
        answer = session.post(f"{url}/admin/api/2026-10/graphql.json", json=body, timeout=60)
        page = answer.json()["data"]["orders"]["pageInfo"]
        if not page["hasNextPage"]:
            return time.monotonic() - started
        variables["after"] = page["endCursor"]


def test_extraction_is_as_fast_as_its_requests(tmp_path: Path) -> None:
    with open_store(tmp_path, most_cost=1000) as store:
        store.server.before = lambda number: store.clock.sleep(10)
        store.add(500, lines=2)
        url = store.server.url
        _, few = in_a_process("killed_shopify", str(tmp_path / "few"), url)
        store.add(1500, lines=2)
        extractions, floors = [], []
        for turn in range(2):
            asked = store.asked()
            seconds, many = in_a_process("killed_shopify", str(tmp_path / f"many{turn}"), url)
            extractions.append(seconds)
            between, first = store.asked(), store.server.asked[-1][1]["first"]
            floors += in_a_process("test_shopify_speed", url, str(first))
            # Scopes are asked first, and the right size of a page is found.
            assert store.asked() - between in range(between - asked - 3, between - asked + 1)
        print(f"extraction {extractions} s, plain loop {floors} s, {few:.0f} to {many:.0f} MB")
        assert min(extractions) < 1.3 * min(floors)
        assert many < few + 10


if __name__ == "__main__":
    print(plain_loop(*sys.argv[1:]))
