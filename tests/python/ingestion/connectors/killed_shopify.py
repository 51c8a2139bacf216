"""Extracts orders in a process of its own, to be killed or measured: `LANDING URL`.

Prints seconds and the most memory (MB).
"""

import re
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from ingestion.connectors.extract import extract
from ingestion.connectors.stream import Stream

from .shopify import TABLES, TOKEN

if __name__ == "__main__":
    landing, url = sys.argv[1:]
    settings = {"SHOPIFY_SHOP": SecretStr(url), "SHOPIFY_ACCESS_TOKEN": SecretStr(TOKEN)}
    started = time.monotonic()
    (extraction,) = extract([Stream(TABLES["orders"])], settings, landing)
    seconds = time.monotonic() - started
    most = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(seconds, int(most[1]) / 1024 if most else 0)
    sys.exit(extraction.error)
