"""CSV with a header line."""

import codecs
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.contracts import SourceTable
from ingestion.landing import LandedFile
from ingestion.readers import EXTRA, NO_RECORDS, UNPARSED, URI, FileRefused, check_header

# Python's own limit is 128 KB per field; a quote that is never closed has to end somewhere, though.
csv.field_size_limit(1 << 24)


class CsvReader:
    """Reads CSV; columns are found by their name in the header, in any order."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file whose header does not have the contract's columns."""
        header, has_records = _header(table, file)
        check_header(table, header, f"is the delimiter {_delimiter(table)!r}, and is there a header line?")
        if table.arrives.delivery == "complete" and not has_records:
            raise FileRefused(NO_RECORDS)

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Read the files, those with the same header and the same kind of lines together."""
        groups = defaultdict(list)
        for file in files:
            groups[tuple(_header(table, file)[0]), _record_end(table, file)].append(file.pattern)
        frames = [
            _read(spark, table, header, record_end, patterns)
            for (header, record_end), patterns in groups.items()
        ]
        return reduce(DataFrame.unionByName, frames)


def _read(
    spark: SparkSession,
    table: SourceTable,
    header: tuple[str, ...],
    record_end: str | None,
    patterns: list[str],
) -> DataFrame:
    # Spark matches CSV columns by position: numbered names keep odd ones out of the schema.
    fields = [f"_{position}" for position in range(len(header))]
    raw = (
        spark.read.schema(", ".join(f"{name} string" for name in [*fields, UNPARSED]))
        .options(
            header=True,
            multiLine=record_end is not None,
            escape='"',
            mode="PERMISSIVE",
            columnNameOfCorruptRecord=UNPARSED,
            columnPruning=False,
        )
        # Found by itself, a first line's end would be taken for that of all lines.
        .options(**{"lineSep": record_end} if record_end else {})
        .options(**table.arrives.options)
        .csv(patterns)
    )
    # The parser of whole files leaves carriage returns behind.
    last = fields[-1]
    raw = raw.withColumn(last, F.regexp_replace(last, "\r$", ""))
    declared = {column.header: column.name for column in table.columns}
    named = list(zip(header, fields, strict=True))
    extra = [(name, field) for name, field in named if name not in declared]
    return raw.select(
        *(F.col(field).alias(declared[name]) for name, field in named if name in declared),
        _as_map(extra).alias(EXTRA),
        UNPARSED,
        F.col("_metadata.file_path").alias(URI),
    )


def _as_map(extra: list[tuple[str, str]]) -> Column:
    if not extra:
        return F.lit(None).cast("map<string,string>")
    return F.create_map(*(part for name, field in extra for part in (F.lit(name), F.col(field))))


def _header(table: SourceTable, file: LandedFile) -> tuple[list[str], bool]:
    """The header's names, and whether a record follows."""
    with file.open_text(_encoding(table)) as text:
        try:
            header = next((line for line in _parse(table, text) if line), None)
        except csv.Error as error:
            raise FileRefused(f"the header cannot be read: {error}") from None
        if header is None:
            raise FileRefused("the file is empty")
        return header, any(line.strip() for line in text)


def _record_end(table: SourceTable, file: LandedFile) -> str | None:
    """What records end with where quoted fields hold line breaks; null where each line is a record.

    Where quotes do not pair, each line is one: a quote that is never closed spoils its own record;
    otherwise it would swallow all that follow.
    """
    encoding = _encoding(table)
    if "\n\n".encode(encoding)[-2:] != b"\n\n":
        return "\n"  # only Spark's parser of whole files finds the lines of UTF-16
    if not (file.contains(_quote(table).encode()) and file.contains(b"\n")):
        return None
    with file.open_text(encoding) as text:
        lines = _Lines(text)
        records = _parse(table, lines, strict=True)
        count, ends = 0, set()
        try:
            for _ in records:
                count += 1
                ends.add(lines.last[-1:])
        except csv.Error:
            return None
        if records.line_num == count:
            return None
    if "\r" not in ends:
        return "\n"
    if "\n" in ends:
        raise FileRefused("some records end with a carriage return, some with a line feed: use one of them")
    return "\r"


class _Lines:
    """Lines of a text, and the last one read."""

    def __init__(self, text: Iterable[str]) -> None:
        self._lines = iter(text)
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line
            yield line


def _parse(table: SourceTable, text: Iterable[str], strict: bool = False) -> Any:
    return csv.reader(text, delimiter=_delimiter(table), quotechar=_quote(table), strict=strict)


def _encoding(table: SourceTable) -> str:
    encoding = codecs.lookup(table.arrives.options.get("encoding", "utf-8")).name
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _delimiter(table: SourceTable) -> str:
    options = table.arrives.options
    return options.get("sep", options.get("delimiter", ","))


def _quote(table: SourceTable) -> str:
    return table.arrives.options.get("quote", '"')
