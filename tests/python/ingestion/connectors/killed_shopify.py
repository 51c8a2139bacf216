"""Extracts orders in a process of its own, to be killed: `LANDING URL`."""

import sys

from pydantic import SecretStr

from ingestion.connectors.extract import extract
from ingestion.connectors.stream import Stream

from .shopify import TABLES, TOKEN

if __name__ == "__main__":
    landing, url = sys.argv[1:]
    settings = {"SHOPIFY_SHOP": SecretStr(url), "SHOPIFY_ACCESS_TOKEN": SecretStr(TOKEN)}
    (extraction,) = extract([Stream(TABLES["orders"])], settings, landing)
    sys.exit(extraction.error)
