"""Readers: what becomes of files that are not quite as their format wants them.

All files of a format are loaded in one go; the tests look at what came of each.
"""

import bz2
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile
from pyspark.sql import SparkSession

from ingestion import bronze
from ingestion.contracts import SourceTable
from ingestion.readers import NO_RECORDS
from ingestion.readers.json import NEVER_CLOSED


@dataclass
class Case:
    """A file and what is to become of it."""

    content: str | bytes
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    rescued: list[str] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    refused: str | None = None


HEAD = "id,name\n"
RANDOM_LINES = "".join(f"{n},{n * 7919 % 1000003}\n" for n in range(50_000))
TRUNCATED = "the file cannot be read: Compressed file ended before the end-of-stream marker was reached"

CSV = {
    # headers
    "empty.csv": Case("", refused="the file is empty"),
    "blank_lines_only.csv": Case("\n\n", refused="the file is empty"),
    "header_only.csv": Case(HEAD),
    "header_without_line_end.csv": Case(HEAD.strip()),
    "missing_column.csv": Case("id\n1\n", refused="the header lacks ['name'] and has the undeclared []: was"),
    "renamed_column.csv": Case(
        "id,nam\n1,A\n", refused="the header lacks ['name'] and has the undeclared ['nam']: was"
    ),
    "wrong_delimiter.csv": Case(
        "id;name\n1;Ann\n",
        refused="the header has none of the declared columns, but ['id;name']: is the delimiter ','",
    ),
    "no_header.csv": Case("1,Ann\n2,Bob\n", refused="the header has none of the declared columns"),
    "one_name_twice.csv": Case("id,id,name\n1,1,A\n", refused="the header has ['id'] more than once"),
    "extra_column.csv": Case("id,tier,name\n1,gold,Ann\n", [(1, "Ann")], ['{"tier":"gold"}']),
    "columns_swapped.csv": Case("name,id\nAnn,1\n", [(1, "Ann")]),
    "carriage_returns_and_line_breaks.csv": Case(
        'id,name\r1,"Ann\nLee"\r2,Bob\r3,Cy', [(1, "Ann\nLee"), (2, "Bob"), (3, "Cy")]
    ),
    "line_ends_mixed.csv": Case(
        'id,name\r1,"Ann\nLee"\n2,Bob\n',
        refused="the file cannot be read: some records end with a carriage return, some with a line feed",
    ),
    "archive.csv.zip": Case(f"{HEAD}1,Ann\n", refused="files that end in .zip are not read: unpack it"),
    "quoted_header.csv": Case('"id","name"\n1,Ann\n', [(1, "Ann")]),
    # lines
    "blank_lines.csv": Case(f"\n\n{HEAD}\n1,Ann\n\n2,Bob\n\n", [(1, "Ann"), (2, "Bob")]),
    "crlf.csv": Case("id,name\r\n1,Ann\r\n2,Bob\r\n", [(1, "Ann"), (2, "Bob")]),
    "mixed_line_ends.csv": Case("id,name\r\n1,Ann\n2,Bob\r\n3,Cid\n", [(1, "Ann"), (2, "Bob"), (3, "Cid")]),
    "old_mac.csv": Case("id,name\r1,Ann\r2,Bob\r", [(1, "Ann"), (2, "Bob")]),
    "no_line_end.csv": Case(f"{HEAD}1,Ann\n2,Bob", [(1, "Ann"), (2, "Bob")]),
    "cut_off.csv": Case(f"{HEAD}1,Ann\n2", [(1, "Ann")], quarantined=["2"]),
    "too_many_fields.csv": Case(f"{HEAD}1,Ann,3\n2,Bob\n", [(2, "Bob")], quarantined=["1,Ann,3"]),
    # quotes
    "quotes.csv": Case(f'{HEAD}1,"Ann, ""A"""\n2,""\n', [(1, 'Ann, "A"'), (2, None)]),
    "inches.csv": Case(f'{HEAD}1,5" pipe\n2,"6"" pipe"\n', [(1, '5" pipe'), (2, '6" pipe')]),
    "line_breaks.csv": Case(f'{HEAD}1,"Ann\nLee"\n2,Bob\n', [(1, "Ann\nLee"), (2, "Bob")]),
    "line_breaks_crlf.csv": Case(
        'id,name\r\n1,"Ann\r\nLee"\r\n2,Bob\r\n3,"Cid"\r\n', [(1, "Ann\r\nLee"), (2, "Bob"), (3, "Cid")]
    ),
    "line_breaks_mixed.csv": Case(
        'id,name\r\n1,Ann\n2,"Bob\nLee"\r\n3,Cid\n', [(1, "Ann"), (2, "Bob\nLee"), (3, "Cid")]
    ),
    "line_breaks_mixed_lf_first.csv": Case(
        'id,name\n1,Ann\r\n2,"Bob\nLee"\n3,"Cid"\r\n', [(1, "Ann"), (2, "Bob\nLee"), (3, "Cid")]
    ),
    "stray_quote_in_last_field.csv": Case(
        f'{HEAD}1,"Ann\n2,Bob\n3,Cid\n', [(1, "Ann"), (2, "Bob"), (3, "Cid")]
    ),
    "stray_quote_in_first_field.csv": Case(
        f'{HEAD}"1,Ann\n2,Bob\n3,Cid\n', [(2, "Bob"), (3, "Cid")], quarantined=['"1,Ann']
    ),
    "two_stray_quotes.csv": Case(
        f'{HEAD}1,"Ann\n2,Bob\n3,"Cid\n4,Dan\n', [(1, "Ann"), (2, "Bob"), (3, "Cid"), (4, "Dan")]
    ),
    # The price of it: beside a stray quote, a field with a line break is cut, and the rest quarantined.
    "stray_quote_and_line_break.csv": Case(
        f'{HEAD}1,"Ann\n2,"Bob\nLee"\n3,Cid\n', [(1, "Ann"), (2, "Bob"), (3, "Cid")], quarantined=['Lee"']
    ),
    "long_field.csv": Case(f"{HEAD}1,{'x' * 200_000}\n", [(1, "x" * 200_000)]),
    "long_stray_quote.csv": Case(f'{HEAD}"1,{"x" * 200_000}\n2,Bob\n', [(2, "Bob")], quarantined=["..."]),
    # values
    "text_in_int.csv": Case(
        f"{HEAD}one,Ann\n2,Bob\n",
        [(2, "Bob"), (None, "Ann")],
        ['{"id":"one"}'],
        ['{"name":"Ann","_rescued_data":"{\\"id\\":\\"one\\"}"}'],
    ),
    "no_key.csv": Case(f"{HEAD},Zoe\n", [(None, "Zoe")], quarantined=['{"name":"Zoe"}']),
    "bom.csv": Case(f"\ufeff{HEAD}1,Jürg\n", [(1, "Jürg")]),
    "not_utf8.csv": Case(
        HEAD.encode() + b"1,J\xfcrg\n2,Bob\n", [(1, None), (2, "Bob")], ['{"name":"J\ufffdrg"}']
    ),
    # compressed
    "good.csv.gz": Case(gzip.compress(f"{HEAD}1,Gus\n".encode()), [(1, "Gus")]),
    "good.csv.bz2": Case(bz2.compress(f"{HEAD}1,Bea\n".encode()), [(1, "Bea")]),
}  # fmt: skip


def lines(*records: str) -> str:
    return "".join(f"{record}\n" for record in records)


JSON = {
    "empty.json": Case("", refused="the file is empty"),
    "blank_lines_only.json": Case("\n\n"),
    "good.json": Case(lines('{"id": 1, "name": "Ann"}', "", "  ", '{"name": "Bob", "id": "2"}'),
                      [(1, "Ann"), (2, "Bob")]),
    "no_line_end.json": Case('{"id":1,"name":"Eve"}\r\n{"id":2,"name":"Flo"}', [(1, "Eve"), (2, "Flo")]),
    "escapes.json": Case(lines(r'{"id":1,"name":"a\"b\nc\u00fc"}'), [(1, 'a"b\ncü')]),
    "undeclared.json": Case(lines('{"id":1,"tier":"gold","name":"Ann","at":{"x":[1,2]}}'),
                            [(1, "Ann")], ['{"tier":"gold","at":"{\\"x\\":[1,2]}"}']),
    "nested.json": Case(lines('{"id":1,"name":{"a":[1,{"b":null}]}}'), [(1, '{"a":[1,{"b":null}]}')]),
    # Spark takes fractions for doubles: their value stays the same up to 15 digits, not their spelling.
    "numbers.json": Case(lines('{"id":1,"name":1.10}', '{"id":2,"name":12345678901234567890}'),
                         [(1, "1.1"), (2, "12345678901234567890")]),
    "no_key.json": Case(lines("{}", '{"name":"Zoe"}', '{"id":null,"name":"Kim"}'),
                        [(None, "Kim"), (None, "Zoe"), (None, None)],
                        quarantined=['{"name":"Kim"}', '{"name":"Zoe"}', "{}"]),
    "not_objects.json": Case(lines("7", "[1]", "null", '"text"', "[]", '{"id":1}'), [(1, None)],
                             quarantined=['"text"', "7", "[1]", "[]", "null"]),
    "cut_off.json": Case('{"id":1,"name":"Ann"}\n{"id":2,"na', [(1, "Ann")], quarantined=['{"id":2,"na']),
    "names_twice.json": Case(lines('{"id":1,"id":2}', '{"id":3,"x":1,"x":2}', '{"id":4}'), [(4, None)],
                             quarantined=['{"id":1,"id":2}', '{"id":3,"x":1,"x":2}']),
    "glued.json": Case(lines('{"id":1}{"id":2}', '{"id":3},{"id":4}', '{"id":5} x', '{"id":6}'), [(6, None)],
                       quarantined=['{"id":1}{"id":2}', '{"id":3},{"id":4}', '{"id":5} x']),
    "text_in_int.json": Case(lines('{"id":"one","name":"Ann"}'), [(None, "Ann")], ['{"id":"one"}'],
                             ['{"name":"Ann","_rescued_data":"{\\"id\\":\\"one\\"}"}']),
    "not_utf8.json": Case(b'{"id":1,"name":"J\xfcrg"}\n{"id":2,"name":"Bob"}\n',
                          [(1, None), (2, "Bob")], ['{"name":"J\ufffdrg"}']),
    "bom.json": Case('\ufeff{"id":1,"name":"Bom"}\n', [(1, "Bom")]),
    "good.json.gz": Case(gzip.compress(b'{"id":1,"name":"Gus"}\n'), [(1, "Gus")]),
}  # fmt: skip

# Files found broken only while they are read do not keep those beside them from loading.
BROKEN_CSV = {
    "beside_broken_files.csv": Case(f"{HEAD}1,Ann\n", [(1, "Ann")]),
    "far_too_many_fields.csv": Case(
        f"{HEAD}1,Ann{',' * 30_000}\n2,Bob\n", refused="the file cannot be read: Index 20480 out of bounds"
    ),
    "cut_header.csv.gz": Case(gzip.compress(f"{HEAD}1,Ann\n".encode())[:15], refused=TRUNCATED),
    "cut_records.csv.gz": Case(gzip.compress(f"{HEAD}{RANDOM_LINES}".encode())[:-50_000], refused=TRUNCATED),
    "not_compressed.csv.gz": Case(
        f"{HEAD}1,Not\n", refused="the file cannot be read: Not a gzipped file (b'id')"
    ),
}  # fmt: skip

BROKEN_JSON = {
    "beside_a_broken_file.json": Case(lines('{"id":1,"name":"Ann"}'), [(1, "Ann")]),
    "cut.json.gz": Case(gzip.compress(RANDOM_LINES.encode())[:-50_000],
                        refused="the file cannot be read: Unexpected end of input stream"),
}  # fmt: skip

ARRAYS = {
    "empty.jsons": Case(" \n", refused="the file is empty"),
    "no_records.jsons": Case("[]"),
    "lines.jsons": Case('{"id":1}\n',
                        refused="a JSON array is declared, but the file begins with '{\"id\":1}"),
    "indented.jsons": Case('[\n  {\n    "id": 1,\n    "name": "Ann"\n  },\n  {"id": 2}\n]\n',
                           [(1, "Ann"), (2, None)]),
    "brackets_in_text.jsons": Case('[{"id":1,"name":"]}{[\\""},{"id":2}]', [(1, ']}{["'), (2, None)]),
    "ends_in_a_record.jsons": Case('[{"id":1},{"id":2,"na', [(1, None)],
                                   quarantined=[NEVER_CLOSED, '{"id":2,"na']),
    "ends_between_records.jsons": Case('[{"id":1},', [(1, None)], quarantined=[NEVER_CLOSED]),
    "broken_record.jsons": Case('[{"id":1},{"id":x},{"id":3}]', [(1, None), (3, None)],
                                quarantined=['{"id":x}']),
    "quote_too_many.jsons": Case(
        '[{"id":1,"name":"A"n","x":[{"id":7},{"id":8}]},{"id":2,"name":"Bob"},{"id":3,"name":"Cy"}]',
        [(2, "Bob"), (3, "Cy")], quarantined=['{"id":1,"name":"A"n","x":[{"id":7},{"id":8}]}'],
    ),
    "no_objects.jsons": Case('[1,[2],"a",{"id":4}]', [(4, None)], quarantined=['"a"', "1", "[2]"]),
    "text_after.jsons": Case('[{"id":1}] done', [(1, None)], quarantined=["done"]),
    "text_between.jsons": Case('[{"id":1}, oops {"id":2}]', [(1, None)], quarantined=['oops {"id":2}']),
    "names_twice.jsons": Case('[{"id":1,"id":2},{"id":3}]', [(3, None)], quarantined=['{"id":1,"id":2}']),
    "compressed.jsons.gz": Case(gzip.compress(b'[{"id":1,"tier":{"a":[1]}}]'), [(1, None)],
                                ['{"tier":"{\\"a\\":[1]}"}']),
    "bom.jsons": Case('\ufeff[{"id":1}]', [(1, None)]),
}  # fmt: skip


def workbook(*rows: Sequence[object], sheet: str = "Sheet1") -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd"}) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
            for column, cell in enumerate(row):
                if str(cell).startswith("#"):
                    page.write_formula(number, column, "=A1", value=cell)
    return content.getvalue()


NAMES = ("id", "name")


def protected(content: bytes) -> bytes:
    encrypted = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt("secret", encrypted)
    return encrypted.getvalue()


WORKBOOKS = {
    "empty.xlsx": Case("", refused="the file is empty"),
    "empty_sheet.xlsx": Case(workbook(), refused="the sheet is empty"),
    "header_only.xlsx": Case(workbook(NAMES)),
    "good.xlsx": Case(workbook(NAMES, (1, "Ann\nLee"), (2, 2.5)), [(1, "Ann\nLee"), (2, "2.5")]),
    "types.xlsx": Case(
        workbook(NAMES, (1, True), (2, date(2024, 2, 29)), (3, datetime(2024, 2, 29, 12, 30)), ("4", 5.0)),
        [(1, "true"), (2, "2024-02-29"), (3, "2024-02-29T12:30:00"), (4, "5")],
    ),
    "blank_rows.xlsx": Case(workbook(NAMES, (), (1, "Ann"), (None, ""), (2, None)), [(1, "Ann"), (2, None)]),
    "columns_swapped.xlsx": Case(workbook(("name", "id"), ("Ann", 1)), [(1, "Ann")]),
    "extra_columns.xlsx": Case(
        workbook(("id", "name", "tier"), (1, "Ann", "gold", "loose")),
        [(1, "Ann")], ['{"tier":"gold","column 4":"loose"}'],
    ),
    "text_in_int.xlsx": Case(workbook(NAMES, ("one", "Ann")), [(None, "Ann")], ['{"id":"one"}'],
                             ['{"name":"Ann","_rescued_data":"{\\"id\\":\\"one\\"}"}']),
    "errors.xlsx": Case(
        workbook(NAMES, (1, "#N/A"), ("#DIV/0!", "Bob"), ("#N/A", "#N/A")),
        [(1, "#N/A"), (None, "#N/A"), (None, "Bob")], ['{"id":"#DIV/0!"}', '{"id":"#N/A"}'],
        ['{"name":"#N/A","_rescued_data":"{\\"id\\":\\"#N/A\\"}"}',
         '{"name":"Bob","_rescued_data":"{\\"id\\":\\"#DIV/0!\\"}"}'],
    ),
    "renamed_column.xlsx": Case(workbook(("id", "nam"), (1, "A")), refused="the header lacks ['name']"),
    "one_name_twice.xlsx": Case(workbook(("id", "id", "name")), refused="the header has ['id'] more"),
    "truncated.xlsx": Case(workbook(NAMES, (1, "Ann"))[:-400], refused="the file is no readable Excel"),
    "csv.xlsx": Case(f"{HEAD}1,Ann\n", refused="the file is no readable Excel workbook"),
    "protected.xlsx": Case(protected(workbook(NAMES, (1, "Ann"))),
                           refused="the workbook is protected by a password"),
}  # fmt: skip

FILES = CSV | JSON | ARRAYS | WORKBOOKS | BROKEN_CSV | BROKEN_JSON


@pytest.fixture(scope="module")
def outcomes(landing: Callable[..., Any]) -> dict[str, Any]:
    found = {}
    for format, ending, cases in (
        ("csv", "csv", CSV),
        ("json", "json", JSON),
        ("json_array", "jsons", ARRAYS),
        ("xlsx", "xlsx", WORKBOOKS),
        ("csv", "csv", BROKEN_CSV),
        ("json", "json", BROKEN_JSON),
    ):
        zone = landing(format=format, path=f"files/*.{ending}*")
        for name, case in cases.items():
            zone.deliver(name, case.content)
        found |= zone.outcomes()
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_becomes_rows_rescued_values_and_quarantined_records(
    outcomes: dict[str, Any], name: str
) -> None:
    case, outcome = FILES[name], outcomes[name]
    assert outcome.status == ("refused" if case.refused else "loaded"), outcome.reason
    assert (outcome.reason or "").startswith(case.refused or "")
    assert outcome.rows == case.rows
    assert outcome.rescued == case.rescued
    if case.quarantined != ["..."]:
        assert outcome.quarantined == case.quarantined


def test_a_complete_extract_without_records_is_refused(landing: Callable[..., Any]) -> None:
    csv = landing(delivery="complete")
    csv.deliver("a.csv", HEAD)
    csv.deliver("b.csv", f"{HEAD}\n \n")
    json = landing(delivery="complete", format="json", path="files/*.json")
    json.deliver("a.json", "\n")
    array = landing(delivery="complete", format="json_array", path="files/*.json")
    array.deliver("a.json", "[ ]")
    excel = landing(delivery="complete", format="xlsx", path="files/*.xlsx")
    excel.deliver("a.xlsx", workbook(NAMES))
    reasons = {load.reason for zone in (csv, json, array, excel) for load in zone.load().values()}
    assert reasons == {NO_RECORDS}


def test_a_sheet_is_found_by_its_name(landing: Callable[..., Any]) -> None:
    zone = landing(format="xlsx", path="files/*.xlsx", sheet="People")
    zone.deliver("right.xlsx", workbook(NAMES, (1, "Ann"), sheet="People"))
    zone.deliver("wrong.xlsx", workbook(NAMES, (2, "Bob"), sheet="Places"))
    outcomes = zone.outcomes()
    assert outcomes["right.xlsx"].rows == [(1, "Ann")]
    assert outcomes["wrong.xlsx"].reason == (
        "there is no sheet People, only ['Places']: rename it, or the contract's"
    )


@pytest.mark.parametrize("format", ["csv", "json", "json_array", "xlsx"])
def test_headers_may_differ_from_column_names(landing: Callable[..., Any], format: str) -> None:
    zone = landing(
        columns={"customer_id": "int", "sub_category": "string"}, keys=["customer_id"],
        headers={"customer_id": "Customer ID", "sub_category": "Sub-Category"},
        format=format, path="files/*",
    )  # fmt: skip
    content = {
        "csv": "Customer ID,Sub-Category,customer_id\n1,Chairs,9\nn/a,Tables,8\n",
        "json": '{"Customer ID":1,"Sub-Category":"Chairs","customer_id":9}\n'
                '{"Customer ID":"n/a","Sub-Category":"Tables","customer_id":8}\n',
        "json_array": '[{"Customer ID":1,"Sub-Category":"Chairs","customer_id":9},'
                      '{"Customer ID":"n/a","Sub-Category":"Tables","customer_id":8}]',
        "xlsx": workbook(("Customer ID", "Sub-Category", "customer_id"),
                         (1, "Chairs", 9), ("n/a", "Tables", 8)),
    }[format]  # fmt: skip
    zone.deliver("file", content)
    outcome = zone.outcomes()["file"]
    assert outcome.rows == [(1, "Chairs"), (None, "Tables")]
    # By their names in the file, so that one cannot hide the other.
    assert outcome.rescued == ['{"Customer ID":"n/a","customer_id":"8"}', '{"customer_id":"9"}']


OPTIONS = {
    "semicolons": ({"sep": ";"}, b'id;name\n1;"Ann\nLee"\n', "Ann\nLee"),
    "tabs": ({"delimiter": "\t"}, b"id\tname\n1\tAnn\n", "Ann"),
    "latin1": ({"encoding": "ISO-8859-1"}, "id,name\n1,\u00c4nn\n".encode("latin-1"), "\u00c4nn"),
    "utf16": ({"encoding": "UTF-16"}, "id,name\n1,\u00c4nn\n".encode("utf-16"), "\u00c4nn"),
    "apostrophes": ({"quote": "'"}, b"id,name\n1,'Ann\nLee'\n", "Ann\nLee"),
}  # fmt: skip


def test_options_reach_header_and_records(
    spark: SparkSession, contract: Callable[..., SourceTable], tmp_path: Path
) -> None:
    tables = [contract(path=f"{name}.csv", **options) for name, (options, _, _) in OPTIONS.items()]
    for name, (_, content, _) in OPTIONS.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    bronze.load(spark, tables, str(tmp_path), str(tmp_path / "bronze"), tmp_path / "checkpoints")
    names = [[row.name for row in spark.table(table.bronze).collect()] for table in tables]
    assert names == [[expected] for _, _, expected in OPTIONS.values()]
