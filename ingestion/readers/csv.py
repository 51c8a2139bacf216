"""CSV with a header line."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.contracts import SourceTable
from ingestion.landing import LandedFile
from ingestion.readers import EXTRA, UNPARSED, URI, FileRefused


class CsvReader:
    """Reads CSV; columns are found by their name in the header, in any order."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file whose header does not have the contract's columns."""
        header, has_records = _first_lines(table, file)
        missing = [column.name for column in table.columns if column.name not in header]
        unknown = [name for name in header if name not in {c.name for c in table.columns}]
        if len(missing) == len(table.columns):
            raise FileRefused(
                f"the header has none of the declared columns, but {header}: "
                f"is the delimiter {_delimiter(table)!r}, and is there a header line?"
            )
        if missing:
            raise FileRefused(
                f"the header lacks {missing} and has the undeclared {unknown}: "
                "was a column renamed? Correct the file or the contract."
            )
        if repeated := sorted({name for name in header if header.count(name) > 1}):
            raise FileRefused(f"the header has {repeated} more than once")
        if table.arrives.delivery == "complete" and not has_records:
            raise FileRefused("a complete extract without a record would mean that everything was removed")

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Read the files, those with the same header together."""
        by_header = defaultdict(list)
        for file in files:
            by_header[tuple(_first_lines(table, file)[0])].append(file.path)
        frames = [_read(spark, table, header, paths) for header, paths in by_header.items()]
        return reduce(DataFrame.unionByName, frames)


def _read(spark: SparkSession, table: SourceTable, header: tuple[str, ...], paths: list[str]) -> DataFrame:
    # Spark matches CSV columns by position: numbered names keep odd ones out of the schema.
    fields = [f"_{position}" for position in range(len(header))]
    raw = (
        spark.read.schema(", ".join(f"{name} string" for name in [*fields, UNPARSED]))
        .options(
            header=True,
            multiLine=True,
            escape='"',
            mode="PERMISSIVE",
            columnNameOfCorruptRecord=UNPARSED,
            columnPruning=False,
        )
        .options(**table.arrives.options)
        .csv([_literal_path(path) for path in paths])
    )
    # After a first line that ends in a line feed alone, the parser leaves carriage returns behind.
    last = fields[-1]
    raw = raw.withColumn(last, F.regexp_replace(last, "\r$", ""))
    declared = {column.name for column in table.columns}
    extra = [(name, field) for name, field in zip(header, fields, strict=True) if name not in declared]
    return raw.select(
        *(F.col(f).alias(name) for name, f in zip(header, fields, strict=True) if name in declared),
        _as_map(extra).alias(EXTRA),
        UNPARSED,
        F.col("_metadata.file_path").alias(URI),
    )


def _as_map(extra: list[tuple[str, str]]) -> Column:
    if not extra:
        return F.lit(None).cast("map<string,string>")
    return F.create_map(*(part for name, field in extra for part in (F.lit(name), F.col(field))))


def _first_lines(table: SourceTable, file: LandedFile) -> tuple[list[str], bool]:
    """The header's names, and whether a record follows."""
    encoding = table.arrives.options.get("encoding", "utf-8-sig")
    with open(file.path, encoding=encoding, errors="replace", newline="") as text:
        lines = csv.reader(text, delimiter=_delimiter(table))
        try:
            records = (line for line in lines if line)
            header = next(records, None)
            if header is None:
                raise FileRefused("the file is empty")
            return header, next(records, None) is not None
        except csv.Error as error:
            raise FileRefused(f"the header cannot be read: {error}") from None


def _delimiter(table: SourceTable) -> str:
    return table.arrives.options.get("delimiter", ",")


def _literal_path(path: str) -> str:
    """Keep Spark from reading a file's name as a pattern."""
    return "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in path)
