"""Extracts orders in a process of its own, to be killed or measured: `LANDING URL`.

Prints seconds and the most memory (MB).
"""

import resource
import sys
import time

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
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.exit(extraction.error)
