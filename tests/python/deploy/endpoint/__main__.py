"""`python -m tests.python.deploy.endpoint HOME TOKEN LOG`: serve until the input ends; prints its port."""

import sys
import threading
from pathlib import Path

from lakehouse.engines.spark import spark_session
from lakehouse.settings import load_settings

from .protocol import Service, serve
from .warehouse import Warehouse


def main(home: str, token: str, log: str) -> None:
    """Serve the tables of a home, and those that are made there."""
    spark = spark_session(load_settings(LAKEHOUSE_HOME=home))
    for folder in sorted(Path(home, "warehouse").glob("*.db/*/")):
        schema = folder.parent.name.removesuffix(".db")
        spark.sql(f"create schema if not exists {schema}")
        spark.sql(f"create table if not exists {schema}.`{folder.name}` using delta location '{folder}'")
    server = serve(Service(Warehouse(spark, Path(log)).connect), token)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main(*sys.argv[1:])
