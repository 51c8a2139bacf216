"""Removing what was made of a source, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from ingestion import audit
from ingestion.contracts import SourceTable
from lakehouse.building import relations_of, start
from lakehouse.engines import quiet_spark
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Traces:
    """What a source left: tables by `schema.name`, and folders of checkpoints."""

    source: str
    tables: Sequence[str]
    folders: Sequence[Path]


def find_traces(settings: Settings, tables: Sequence[SourceTable]) -> Traces:
    """What exists of the one source that has `tables`.

    These are its bronze and streamed tables, what is built of them and of no other source, and the
    checkpoints. Files in the landing zone and tables that sources share stay.
    """
    source = tables[0].source
    names = relations_of(start("local"), source)
    folders = [folder for table in tables for folder in settings.checkpoints.glob(f"*/{table.identifier}")]
    exists = quiet_spark().catalog.tableExists
    return Traces(source, sorted(filter(exists, names)), sorted(folders))


def remove(traces: Traces) -> None:
    """Remove tables with their folders, checkpoints, and the source's rows in `ops`."""
    spark = quiet_spark()
    # Books first: files that are no longer in them are loaded again.
    for books in (audit.LOADS, audit.QUARANTINE, "ops.row_accounting"):
        if spark.catalog.tableExists(books):
            spark.sql(f"delete from {books} where source = '{traces.source}'")
    for table in traces.tables:
        place = spark.sql(f"describe detail {table}").first()["location"]  # type: ignore[index]
        spark.sql(f"drop table {table}")
        _delete_folder(spark, place)
    for folder in traces.folders:
        _delete_folder(spark, folder.as_uri())


def _delete_folder(spark: SparkSession, uri: str) -> None:
    """Delete a folder wherever Spark reads from; one that is gone already is no error."""
    jvm = spark._jvm
    assert jvm is not None
    path = jvm.org.apache.hadoop.fs.Path(uri)
    path.getFileSystem(spark._jsc.hadoopConfiguration()).delete(path, True)
