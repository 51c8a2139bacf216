"""Load what is new from the landing zone to bronze, as a task of a Databricks job (see databricks.yml)."""

import argparse
import sys
from pathlib import Path

# The bundle's files lie in the workspace as they do in the repository.
_PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_PROJECT), str(_PROJECT / "adapter")]

from ingestion import bronze
from ingestion.contracts import read_contracts, select_sources
from ingestion.landing.auto_loader import auto_loader
from ingestion.landing.discovery import list_files, on_databricks
from ingestion.tables.spark import SparkTables
from lakehouse.engines.spark import spark_session
from lakehouse.settings import PROJECT, load_settings


def main() -> None:
    """Print each file and what became of it; fails when one was refused."""
    arguments = _arguments()
    spark = spark_session(load_settings())
    if arguments.catalog:
        spark.catalog.setCurrentCatalog(arguments.catalog)
    tables = select_sources(read_contracts(PROJECT / "models"), arguments.source)
    checkpoints = Path(arguments.home) / "checkpoints"
    discovery = auto_loader(spark, checkpoints) if on_databricks() else list_files
    storage = SparkTables(spark, arguments.bronze)
    loads = bronze.load(storage, tables, arguments.landing, discovery=discovery)
    for load in loads:
        print(f"{load.path}: {load.status}, {load.rows_loaded} rows {load.reason or ''}")
    if any(load.status == "refused" for load in loads):
        sys.exit("Some files could not be loaded, the others were.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", action="append", default=[], help="only this source; can be repeated")
    parser.add_argument("--landing", required=True, help="Volume path or s3:// address of the files")
    parser.add_argument("--home", required=True, help="Volume path for the checkpoints")
    parser.add_argument("--bronze", help="external location of the bronze tables; managed ones without it")
    parser.add_argument("--catalog", help="catalog of the tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
