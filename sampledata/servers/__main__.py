"""Runs a command beside servers of the sample company's shop and payment services, on loopback.

    python -m sampledata.servers [--deliveries N] [--scale N] [--seed S] COMMAND ...

The command finds them, with keys that are made up, by the settings of the connectors. They hold what
happened since the logs of the other sources begin.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sampledata.company import Company
from sampledata.company.assortment import LOGS_BEGIN
from sampledata.sampling import Streams
from sampledata.servers import Filled, rest, serve
from sampledata.servers.company import fill_account, fill_shop, fill_transactions
from sampledata.servers.shopify import SCOPES, Answers, Server, Shop
from sampledata.servers.shopify.cost import Bucket
from sampledata.servers.stripe import Account

_TOKEN, _KEY, _API_KEY = "shpat_sample", "sk_test_sample", "sample"


def main() -> int:
    """Serve until the command ends; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sampledata.servers")
    parser.add_argument("--deliveries", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    shop, account, transactions = Shop(), Account(key=_KEY), rest.Api(key=_API_KEY)
    # As the largest shops have it, so that nobody waits.
    server = Server(Answers(shop, set(SCOPES)), token=_TOKEN, bucket=Bucket(40_000, 2_000))

    def fill() -> None:
        for delivery in range(1, given.deliveries + 1):
            company = Company(Streams(given.seed), given.scale, delivery)
            fill_shop(shop, company, LOGS_BEGIN)
            fill_account(account, company, LOGS_BEGIN)
            fill_transactions(transactions, company, LOGS_BEGIN)

    with ThreadPoolExecutor(1) as pool, ExitStack() as opened:
        # The command starts meanwhile.
        filling = pool.submit(fill)
        shop_url, stripe_url, api_url = (
            opened.enter_context(serve(Filled(api, filling))) for api in (server, account, transactions)
        )
        settings = {
            "SHOPIFY_SHOP": shop_url,
            "SHOPIFY_ACCESS_TOKEN": _TOKEN,
            "STRIPE_API_KEY": _KEY,
            "STRIPE_API_URL": stripe_url,
            "API_URL": api_url,
            "API_KEY": _API_KEY,
        }
        code = subprocess.run(given.command, env=os.environ | settings).returncode
        filling.result()
        return code


if __name__ == "__main__":
    sys.exit(main())
