"""JSON lines: one object per line."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.contracts import SourceTable
from ingestion.landing import LandedFile
from ingestion.readers import EXTRA, NO_RECORDS, UNPARSED, URI, FileRefused


class JsonLinesReader:
    """Reads JSON lines; a nested value stays JSON text until the contract gives it a type."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse an empty file, and a complete extract without a record."""
        if file.size == 0:
            raise FileRefused("the file is empty")
        if table.arrives.delivery == "complete":
            with file.open_text() as lines:
                if not any(line.strip() for line in lines):
                    raise FileRefused(NO_RECORDS)

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Read the files; blank lines are no records."""
        lines = (
            spark.read.options(**table.arrives.options)
            .text([file.pattern for file in files])
            .where("trim(value) <> ''")
            .select(
                "value",
                # In brackets, a second object behind the first is an error; Spark would pass it over.
                F.from_json(F.concat(F.lit("["), "value", F.lit("]")), "array<map<string,string>>").alias(
                    "objects"
                ),
                F.col("_metadata.file_path").alias(URI),
            )
        )
        declared = [column.name for column in table.columns]
        names = F.array(*map(F.lit, declared))
        # Of two values under one name, nobody knows which is meant.
        only = F.when(F.size("objects") == 1, F.col("objects")[0])
        keys = F.map_keys(only)
        unambiguous = F.size(keys) == F.size(F.array_distinct(keys))
        lines = lines.withColumn("fields", F.when(unambiguous, only))
        extra = F.map_filter("fields", lambda name, _: ~F.array_contains(names, name))
        return lines.select(
            *(F.col("fields")[name].alias(name) for name in declared),
            F.when(F.size(extra) > 0, extra).alias(EXTRA),
            F.when(F.col("fields").isNull(), F.col("value")).alias(UNPARSED),
            URI,
        )
