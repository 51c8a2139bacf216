"""Runs a command beside servers of the sample company's shop and payment service, on loopback.

    python -m sampledata.servers [--deliveries N] [--scale N] [--seed S] COMMAND ...

The command finds them, with keys that are made up, by the settings of the connectors. They hold what
happened since the logs of the other sources begin.
"""

import argparse
import os
import subprocess
import sys

from sampledata.company import Company
from sampledata.company.assortment import LOGS_BEGIN
from sampledata.sampling import Streams
from sampledata.servers import serve
from sampledata.servers.company import fill_account, fill_shop
from sampledata.servers.shopify import SCOPES, Answers, Server, Shop
from sampledata.servers.shopify import serve as serve_shop
from sampledata.servers.shopify.cost import Bucket
from sampledata.servers.stripe import Account

_TOKEN, _KEY = "shpat_sample", "sk_test_sample"


def main() -> int:
    """Serve until the command ends; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m sampledata.servers")
    parser.add_argument("--deliveries", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    shop, account = Shop(), Account(key=_KEY)
    for delivery in range(1, given.deliveries + 1):
        company = Company(Streams(given.seed), given.scale, delivery)
        fill_shop(shop, company, LOGS_BEGIN)
        fill_account(account, company, LOGS_BEGIN)
    # As the largest shops have it, so that nobody waits.
    server = Server(Answers(shop, set(SCOPES)), token=_TOKEN, bucket=Bucket(40_000, 2_000))
    with serve_shop(server), serve(account) as stripe_url:
        settings = {
            "SHOPIFY_SHOP": server.url,
            "SHOPIFY_ACCESS_TOKEN": _TOKEN,
            "STRIPE_API_KEY": _KEY,
            "STRIPE_API_URL": stripe_url,
        }
        return subprocess.run(given.command, env=os.environ | settings).returncode


if __name__ == "__main__":
    sys.exit(main())
