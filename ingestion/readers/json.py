"""JSON: one object per line, or one array of objects per file."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.contracts import SourceTable
from ingestion.frames import from_arrow
from ingestion.landing import LandedFile
from ingestion.readers import EXTRA, NO_RECORDS, UNPARSED, URI, FileRefused

_SPACE = re.compile(r"[\s,]*")
# A text, which may hold brackets and may end too early, or a bracket.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_NEXT_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
NEVER_CLOSED = "the array is never closed: the file ends too early"

_decode = json.JSONDecoder().raw_decode


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
            .select("value", F.col("_metadata.file_path").alias(URI))
        )
        return _parse(table, lines)


class JsonArrayReader:
    """Reads files that are one JSON array of objects; what is broken costs only its own record."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file that is no array, and a complete extract without a record."""
        with file.open_text() as text:
            beginning = text.read(1000).lstrip()
        if not beginning:
            raise FileRefused("the file is empty")
        if not beginning.startswith("["):
            raise FileRefused(
                f"a JSON array is declared, but the file begins with {beginning[:20]!r}: "
                "are these JSON lines? Then declare the format json."
            )
        if table.arrives.delivery == "complete" and next(_elements(table, file), None) is None:
            raise FileRefused(NO_RECORDS)

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Read the files, each in memory as a whole."""
        schema = pa.schema([("value", pa.string()), (URI, pa.string())])
        tables = []
        for file in files:
            values = pa.array(_elements(table, file), pa.string())
            tables.append(pa.table([values, pa.repeat(pa.scalar(file.uri), len(values))], schema=schema))
        return _parse(table, from_arrow(spark, pa.concat_tables(tables)))


def _elements(table: SourceTable, file: LandedFile) -> Iterator[str]:
    """The text of each element, broken ones too, and what follows the array."""
    with file.open_text() as source:
        text = source.read()
    position = _after_space(text, text.index("[") + 1)
    while position < len(text) and text[position] != "]":
        try:
            _, end = _decode(text, position)
        except (ValueError, RecursionError):
            end = _end_of_broken(text, position, table)
        yield text[position:end]
        position = _after_space(text, end)
    if position >= len(text):
        yield NEVER_CLOSED
    elif rest := text[position + 1 :].strip():
        yield rest


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _end_of_broken(text: str, start: int, table: SourceTable) -> int:
    """Where a value that is no JSON ends; at least one character is taken."""
    end = _closing_bracket(text, start)
    # A quote too many turns all texts behind it inside out, and with them the brackets.
    for match in _NEXT_OBJECT.finditer(text, start, end):
        if _has_all_columns(text, match.end(), table):
            return match.start() + 1
    return end


def _closing_bracket(text: str, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(text, start):
        if match.group() in ("{", "["):
            depth += 1
        elif match.group() in ("}", "]"):
            depth -= 1
            if depth <= 0:
                # A bracket that closes the array itself belongs to the array.
                return match.end() if depth == 0 else max(match.start(), start + 1)
    return len(text)


def _has_all_columns(text: str, position: int, table: SourceTable) -> bool:
    """Whether a record is there, and no object within another."""
    try:
        value, _ = _decode(text, position)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and all(column.header in value for column in table.columns)


def _parse(table: SourceTable, lines: DataFrame) -> DataFrame:
    """Records of texts (`value`) with their `_uri`."""
    # In brackets, a second object behind the first is an error; Spark would pass it over.
    objects = F.from_json(F.concat(F.lit("["), "value", F.lit("]")), "array<map<string,string>>")
    lines = lines.withColumn("objects", objects)
    lines = lines.withColumn("fields", F.when(F.size("objects") == 1, F.col("objects")[0]))
    keys = F.map_keys("fields")
    # Nearly all objects have declared keys only, each once: counting them takes far less time than what
    # looks for others, which Spark does not compile.
    names = [column.header for column in table.columns]
    declared = reduce(add, (F.array_contains(keys, name).cast("int") for name in names))
    lines = lines.withColumn("is_plain", F.size(keys) == declared)
    # Of two values under one name, nobody knows which is meant.
    unambiguous = F.col("is_plain") | (F.size(keys) == F.size(F.array_distinct(keys)))
    lines = lines.withColumn("fields", F.when(unambiguous, F.col("fields")))
    extra = F.map_filter("fields", lambda name, _: ~name.isin(names))
    return lines.select(
        *(F.col("fields")[column.header].alias(column.name) for column in table.columns),
        F.when(~F.col("is_plain") & (F.size(extra) > 0), extra).alias(EXTRA),
        F.when(F.col("fields").isNull(), F.col("value")).alias(UNPARSED),
        URI,
    )
