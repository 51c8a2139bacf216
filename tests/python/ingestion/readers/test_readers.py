"""Readers: what becomes of files that are not quite as their format wants them."""

import bz2
import gzip
import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from ingestion.contracts import SourceTable
from ingestion.limits import Limits
from ingestion.readers import NO_RECORDS, dialect, reader_for
from ingestion.readers.json import NEVER_CLOSED

from .files import Case, Formula, landed, outcome, rewritten, workbook

MakeContract = Callable[..., SourceTable]


HEAD = "id,name\n"
RANDOM_LINES = "".join(f"{n},{n * 7919 % 1000003}\n" for n in range(50_000))
TRUNCATED = "cannot be read: Compressed file ended before the end-of-stream marker was reached"

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
        refused="the header has none of the declared columns, but looks like ['xx;xxxx']: is the",
    ),
    "no_header.csv": Case("1,Ann\n2,Bob\n", refused="the header has none of the declared columns"),
    "one_name_twice.csv": Case("id,id,name\n1,1,A\n", refused="the header has ['id'] more than once"),
    "extra_column.csv": Case("id,tier,name\n1,gold,Ann\n", [(1, "Ann")], ['{"tier":"gold"}']),
    "columns_swapped.csv": Case("name,id\nAnn,1\n", [(1, "Ann")]),
    "carriage_returns_and_line_breaks.csv": Case(
        'id,name\r1,"Ann\nLee"\r2,Bob\r3,Cy', [(1, "Ann\nLee"), (2, "Bob"), (3, "Cy")]
    ),
    "line_ends_mixed.csv": Case('id,name\r1,"Ann\nLee"\n2,Bob\n', [(1, "Ann\nLee"), (2, "Bob")]),
    "trailing_delimiters.csv": Case("id,name,,\n1,Ann,,\n2,Bob,,\n", [(1, "Ann"), (2, "Bob")]),
    "values_without_a_name.csv": Case("id,name,,\n1,Ann,,x\n", [(1, "Ann")], ['{"column 4":"x"}']),
    "undeclared_without_values.csv": Case(
        "id,tier,name\n1,,Ann\n2,gold,Bob\n", [(1, "Ann"), (2, "Bob")], ['{"tier":"gold"}']
    ),
    "trailing_delimiter_in_records.csv": Case(
        f'{HEAD}1,Ann,\n2,"Bob",\n3,Cy\n4,Di,,\n', [(1, "Ann"), (2, "Bob"), (3, "Cy")], unparsed=["4,Di,,"]
    ),
    "trailing_delimiter_in_header.csv": Case(
        "id,name, \n1,Ann\n2,Bob,\n3,Cy, \n4\n", [(1, "Ann"), (2, "Bob"), (3, "Cy")], unparsed=["4"]
    ),
    "unnamed_in_front.csv": Case(",id,name\n,1,Ann\n7,2,Bob\n", [(1, "Ann"), (2, "Bob")],
                                 ['{"column 1":"7"}']),
    "joined_with_marks.csv": Case(
        f'\ufeff{HEAD}1,Ann\n\ufeff{HEAD}2,Bob\n\ufeff"id","name"\n id , name \n3,Cy\n',
        [(1, "Ann"), (2, "Bob"), (3, "Cy")],
    ),
    "joined_with_trailing_delimiters.csv": Case("id,name,\n1,Ann,\nid,name,\n2,Bob,\n",
                                                [(1, "Ann"), (2, "Bob")]),
    "no_record.csv": Case(f"{HEAD}1\n2;Bob\n", refused="no record can be parsed, the first is '9': has each"),
    "no_record_of_one.csv": Case("id;name,id,name\n1;Ann\n", refused="no record can be parsed"),
    "archive_of_many.csv.tar.gz": Case("", refused="files that end in .tar are not read: unpack it"),
    "compressed_without_saying_so.csv": Case(
        gzip.compress(f"{HEAD}1,Ann\n".encode()), refused="the file is compressed by gzip, but its name"
    ),
    "compressed_twice.csv.gz": Case(
        gzip.compress(bz2.compress(f"{HEAD}1,Ann\n".encode())), refused="the file is compressed by bzip2, but"
    ),
    "nul.csv": Case(f"{HEAD}1,A\0nn\n2,B\0b,3\n3,Cy\n\0\0\0", [(1, None), (3, "Cy")],
                    ['{"name":"A\\u0000nn"}'], unparsed=["2,B\ufffdb,3", "\ufffd\ufffd\ufffd"]),
    "not_utf8_below_undeclared.csv": Case(b"id,x\xff,name\n1,\xff\0,Ann\n", [(1, "Ann")],
                                          ['{"x\ufffd":"\ufffd\\u0000"}']),
    "joined.csv": Case(f"{HEAD}1,Ann\n{HEAD}2,Bob\n{HEAD}", [(1, "Ann"), (2, "Bob")]),
    "a_record_like_half_the_header.csv": Case(
        f"{HEAD}1,name\nid,Bob\n", [(1, "name"), (None, "Bob")], ['{"id":"id"}']
    ),
    "archive.csv.zip": Case(f"{HEAD}1,Ann\n", refused="files that end in .zip are not read: unpack it"),
    "quoted_header.csv": Case('"id","name"\n1,Ann\n', [(1, "Ann")]),
    # lines
    "blank_lines.csv": Case(f"\n\n{HEAD}\n1,Ann\n\n2,Bob\n\n", [(1, "Ann"), (2, "Bob")]),
    "crlf.csv": Case("id,name\r\n1,Ann\r\n2,Bob\r\n", [(1, "Ann"), (2, "Bob")]),
    "mixed_line_ends.csv": Case("id,name\r\n1,Ann\n2,Bob\r\n3,Cid\n", [(1, "Ann"), (2, "Bob"), (3, "Cid")]),
    "old_mac.csv": Case("id,name\r1,Ann\r2,Bob\r", [(1, "Ann"), (2, "Bob")]),
    "no_line_end.csv": Case(f"{HEAD}1,Ann\n2,Bob", [(1, "Ann"), (2, "Bob")]),
    "cut_off.csv": Case(f"{HEAD}1,Ann\n2", [(1, "Ann")], unparsed=["2"]),
    "too_many_fields.csv": Case(f"{HEAD}1,Ann,3\n2,Bob\n", [(2, "Bob")], unparsed=["1,Ann,3"]),
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
        f'{HEAD}"1,Ann\n2,Bob\n3,Cid\n', [(2, "Bob"), (3, "Cid")], unparsed=['"1,Ann']
    ),
    "two_stray_quotes.csv": Case(
        f'{HEAD}1,"Ann\n2,Bob\n3,"Cid\n4,Dan\n', [(1, "Ann"), (2, "Bob"), (3, "Cid"), (4, "Dan")]
    ),
    "stray_quote_and_line_break.csv": Case(
        f'{HEAD}1,"Ann\n2,"Bob\nLee"\n3,Cid\n', [(1, "Ann"), (2, "Bob\nLee"), (3, "Cid")]
    ),
    "text_behind_a_quote.csv": Case(
        f'{HEAD}1,"Ann" Lee\n2,"Bob" \n3,"a, b" c\n', [(1, '"Ann" Lee'), (2, "Bob"), (3, '"a, b" c')]
    ),
    "line_break_in_too_many_fields.csv": Case(
        f'{HEAD}1,"a\nb",c\n2,Bob\n', [(2, "Bob")], unparsed=['1,"a\nb",c']
    ),
    "lone_quote.csv": Case(f'{HEAD}1,"\n2,Bob\n', [(1, '"'), (2, "Bob")]),
    "quote_in_both.csv": Case(f'{HEAD}1,a"b\n2,"c""d"\n', [(1, 'a"b'), (2, 'c"d')]),
    "long_field.csv": Case(f"{HEAD}1,{'x' * 200_000}\n", [(1, "x" * 200_000)]),
    "long_stray_quote.csv": Case(
        f'{HEAD}"1,{"x" * 200_000}\n2,Bob\n', [(2, "Bob")], unparsed=[f'"1,{"x" * 200_000}']
    ),
    # values
    "text_in_int.csv": Case(
        f"{HEAD}one,Ann\n2,Bob\n",
        [(2, "Bob"), (None, "Ann")],
        ['{"id":"one"}'],
    ),
    "no_key.csv": Case(f"{HEAD},Zoe\n", [(None, "Zoe")]),
    "bom.csv": Case(f"\ufeff{HEAD}1,Jürg\n", [(1, "Jürg")]),
    "not_utf8.csv": Case(
        HEAD.encode() + b"1,J\xfcrg\n2,Bob\n", [(1, None), (2, "Bob")], ['{"name":"J\ufffdrg"}']
    ),
    "not_utf8_in_wrong_record.csv": Case(
        HEAD.encode() + b"1,J\xfcrg,2\n2,Bob\n", [(2, "Bob")], unparsed=["1,J\ufffdrg,2"]
    ),
    "not_utf8_in_stray_quote.csv": Case(
        HEAD.encode() + b'"1,J\xfcrg\n2,Bob\n', [(2, "Bob")], unparsed=['"1,J\ufffdrg']
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
    "numbers.json": Case(lines('{"id":1,"name":1.10}', '{"id":2,"name":12345678901234567890}',
                               '{"id":3,"name":[0.1234567890123456789,1e5]}'),
                         [(1, "1.10"), (2, "12345678901234567890"), (3, "[0.1234567890123456789,1e5]")]),
    "no_key.json": Case(lines("{}", '{"name":"Zoe"}', '{"id":null,"name":"Kim"}'),
                        [(None, "Kim"), (None, "Zoe"), (None, None)]),
    "undeclared_without_value.json": Case(lines('{"id":1,"tier":null}'), [(1, None)]),
    "half_a_character.json": Case(lines(r'{"id":1,"name":"a\ud83d"}', r'{"id":2,"x\ud83d":"\ud83d\ude00"}'),
                                  [(1, None), (2, None)], ['{"name":"a\ufffd"}', '{"x\ufffd":"\U0001f600"}']),
    "nested_too_deeply.json": Case(lines('{"id":1}', "[" * 100_000), [(1, None)], unparsed=["[" * 100_000]),
    "no_key_of_any.json": Case(lines("{}", '{"data":[{"id":1}]}'),
                              refused="JSON lines are declared, but the file begins with '{}'"),
    "an_array_on_lines.json": Case('[\n{"id":1},\n{"id":2}\n]\n',
                                   refused="JSON lines are declared, but the file begins with '['"),
    "an_array_around_lines.json": Case('[{"id":1},\n{"id":2}]\n{"id":3}\n',
                                       refused="JSON lines are declared, but the file begins with '[{"),
    "for_people.json": Case('{\n  "id": 1,\n  "lines": [\n    {"id": 2}\n  ]\n}\n',
                            refused="JSON lines are declared, but the file begins with '{', and no line"),
    "a_page.json": Case("<html>\n<body>503</body>\n</html>\n",
                        refused="JSON lines are declared, but the file begins with '<xxxx>'"),
    "broken_at_first.json": Case('{"id":1,"na\n' + "x\n" * 200 + '{"id":2}\n', [(2, None)],
                                 unparsed=["x"] * 200 + ['{"id":1,"na']),
    "text_in_front.json": Case('[INFO] begins\n{"id":1}\n', [(1, None)], unparsed=["[INFO] begins"]),
    "joined_with_marks.json": Case('\ufeff{"id":1}\n\ufeff{"id":2}\n', [(1, None), (2, None)]),
    "nul.json": Case(lines(r'{"id":1,"name":"a\u0000b","\u0000":"\u0000"}', '{"id":2,"name":"\0"}', "\0"),
                     [(1, None)], ['{"name":"a\\u0000b","\\u0000":"\\u0000"}'],
                     unparsed=['{"id":2,"name":"\ufffd"}', "\ufffd"]),
    "an_array.json": Case('[{"id":1},{"id":2}]',
                          refused="JSON lines are declared, but the file begins with '[{"),
    "compressed_without_saying_so.json": Case(gzip.compress(b'{"id":1}\n'),
                                              refused="the file is compressed by gzip, but its name"),
    "not_objects.json": Case(lines("7", "[1]", "null", '"text"', "[]", '{"id":1}'), [(1, None)],
                             unparsed=['"text"', "7", "[1]", "[]", "null"]),
    "cut_off.json": Case('{"id":1,"name":"Ann"}\n{"id":2,"na', [(1, "Ann")], unparsed=['{"id":2,"na']),
    "names_twice.json": Case(lines('{"id":1,"id":2}', '{"id":3,"x":1,"x":2}', '{"id":4}'), [(4, None)],
                             unparsed=['{"id":1,"id":2}', '{"id":3,"x":1,"x":2}']),
    "glued.json": Case(lines('{"id":1}{"id":2}', '{"id":3},{"id":4}', '{"id":5} x', '{"id":6}'), [(6, None)],
                       unparsed=['{"id":1}{"id":2}', '{"id":3},{"id":4}', '{"id":5} x']),
    "text_in_int.json": Case(lines('{"id":"one","name":"Ann"}'), [(None, "Ann")], ['{"id":"one"}']),
    "not_utf8.json": Case(b'{"id":1,"name":"J\xfcrg"}\n{"id":2,"name":"Bob"}\n',
                          [(1, None), (2, "Bob")], ['{"name":"J\ufffdrg"}']),
    "bom.json": Case('\ufeff{"id":1,"name":"Bom"}\n', [(1, "Bom")]),
    "good.json.gz": Case(gzip.compress(b'{"id":1,"name":"Gus"}\n'), [(1, "Gus")]),
}  # fmt: skip

BROKEN = {
    "far_too_many_fields.csv": Case(
        f"{HEAD}1,Ann{',' * 30_000}\n2,Bob\n", [(2, "Bob")], unparsed=[f"1,Ann{',' * 30_000}"]
    ),
    "cut_header.csv.gz": Case(gzip.compress(f"{HEAD}1,Ann\n".encode())[:15], refused=TRUNCATED),
    "cut_records.csv.gz": Case(gzip.compress(f"{HEAD}{RANDOM_LINES}".encode())[:-50_000], refused=TRUNCATED),
    "not_compressed.csv.gz": Case(f"{HEAD}1,Not\n", refused="cannot be read: Not a gzipped file (b'id')"),
    "cut.json.gz": Case(gzip.compress(b'{"id":1}\n' + RANDOM_LINES.encode())[:-50_000], refused=TRUNCATED),
}


ARRAYS = {
    "empty.jsons": Case(" \n", refused="the file is empty"),
    "no_records.jsons": Case("[]"),
    "no_object.jsons": Case("[1,[2],null]", refused="the file begins with '[9,[9],xxxx]', and no element"),
    "no_json.jsons": Case("[x,y]", refused="the file begins with '[x,x]', and no element"),
    "no_declared_name.jsons": Case('[{"x":1},{}]', refused="the file begins with '[{"),
    "not_utf8.jsons": Case(b'[{"id":1},{"id":\xff\0},{"id":2}]', [(1, None), (2, None)],
                           unparsed=['{"id":\ufffd\ufffd}']),
    "lines.jsons": Case('{"id":1}\n',
                        refused="a JSON array is declared, but the file begins with '{\"xx\":9}"),
    "indented.jsons": Case('[\n  {\n    "id": 1,\n    "name": "Ann"\n  },\n  {"id": 2}\n]\n',
                           [(1, "Ann"), (2, None)]),
    "brackets_in_text.jsons": Case('[{"id":1,"name":"]}{[\\""},{"id":2}]', [(1, ']}{["'), (2, None)]),
    "ends_in_a_record.jsons": Case('[{"id":1},{"id":2,"na', [(1, None)],
                                   unparsed=[NEVER_CLOSED, '{"id":2,"na']),
    "ends_between_records.jsons": Case('[{"id":1},', [(1, None)], unparsed=[NEVER_CLOSED]),
    "broken_record.jsons": Case('[{"id":1},{"id":x},{"id":3}]', [(1, None), (3, None)],
                                unparsed=['{"id":x}']),
    "quote_too_many.jsons": Case(
        '[{"id":1,"name":"A"n","x":[{"id":7},{"id":8}]},{"id":2,"name":"Bob"},{"id":3,"name":"Cy"}]',
        [(2, "Bob"), (3, "Cy")], unparsed=['{"id":1,"name":"A"n","x":[{"id":7},{"id":8}]}'],
    ),
    "no_objects.jsons": Case('[1,[2],"a",{"id":4}]', [(4, None)], unparsed=['"a"', "1", "[2]"]),
    "text_after.jsons": Case('[{"id":1}] done', [(1, None)], unparsed=["done"]),
    "text_between.jsons": Case('[{"id":1}, oops {"id":2}]', [(1, None)], unparsed=['oops {"id":2}']),
    "names_twice.jsons": Case('[{"id":1,"id":2},{"id":3}]', [(3, None)], unparsed=['{"id":1,"id":2}']),
    "compressed.jsons.gz": Case(gzip.compress(b'[{"id":1,"tier":{"a":[1]}}]'), [(1, None)],
                                ['{"tier":"{\\"a\\":[1]}"}']),
    "bom.jsons": Case('\ufeff[{"id":1}]', [(1, None)]),
}  # fmt: skip


def with_prefix(content: bytes) -> bytes:
    """As programs write it that give each name of XML a prefix, and put attributes elsewhere."""
    content = rewritten(content, b"<c r=", b"<x:c  r=")
    for old, new in ((b"</c>", b"</x:c>"), (b"<v>", b"<x:v>"), (b"</v>", b"</x:v>"), (b"<f>", b"<x:f>"),
                     (b"</f>", b"</x:f>"), (b"<row ", b"<x:row "), (b"</row>", b"</x:row>"),
                     (b"sheetData>", b"x:sheetData>"), (b"</x:sheetData", b"</x:sheetData"),
                     (b"<worksheet xmlns=", b"<worksheet xmlns:x=")):  # fmt: skip
        content = rewritten(content, old, new)
    return content


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
    "text_in_int.xlsx": Case(workbook(NAMES, ("one", "Ann")), [(None, "Ann")], ['{"id":"one"}']),
    "errors.xlsx": Case(
        workbook(NAMES, (1, "#N/A"), ("#DIV/0!", "Bob"), ("#N/A", "#N/A")),
        [(1, "#N/A"), (None, "#N/A"), (None, "Bob")], ['{"id":"#DIV/0!"}', '{"id":"#N/A"}'],
    ),
    "errors_in_another_dialect.xlsx": Case(
        with_prefix(workbook(NAMES, (1, "#N/A"), ("#DIV/0!", "Bob"))),
        [(1, "#N/A"), (None, "Bob")], ['{"id":"#DIV/0!"}'],
    ),
    "errors_at_places_that_go_without_saying.xlsx": Case(
        rewritten(rewritten(workbook(NAMES, (1, "Ann"), (2, "#N/A")), b' r="B3"', b""), b' r="3"', b""),
        [(1, "Ann"), (2, "#N/A")],
    ),
    "joined.xlsx": Case(workbook(NAMES, (1, "Ann"), NAMES, (2, "Bob")), [(1, "Ann"), (2, "Bob")]),
    "blank_columns.xlsx": Case(workbook((*NAMES, "", None), (1, "Ann", None, " ")), [(1, "Ann")]),
    "formula_of_a_text_without_value.xlsx": Case(
        rewritten(workbook(NAMES, (1, Formula("=A1", None))), b"><f>A1</f>", b' t="str"><f>A1</f>'),
        refused="cell B2 of sheet Sheet1 has a formula, but no value",
    ),
    "formula_with_a_place_for_its_value.xlsx": Case(
        rewritten(workbook(NAMES, (1, Formula("=A1", None))), b"<f>A1</f>", b"<f>A1</f><v/>"),
        refused="cell B2 of sheet Sheet1 has a formula, but no value",
    ),
    "shared_formula_without_value.xlsx": Case(
        rewritten(workbook(NAMES, (1, Formula("=A1", None))), b"<f>A1</f>", b'<f t="shared" si="0"/>'),
        refused="cell B2 of sheet Sheet1 has a formula, but no value",
    ),
    "empty_text_of_a_formula.xlsx": Case(workbook(NAMES, (1, Formula("=A1", ""))), [(1, None)]),
    "formula_without_value.xlsx": Case(
        workbook(NAMES, (1, Formula("=A1", None))),
        refused="cell B2 of sheet Sheet1 has a formula, but no value",
    ),
    "renamed_column.xlsx": Case(workbook(("id", "nam"), (1, "A")), refused="the header lacks ['name']"),
    "one_name_twice.xlsx": Case(workbook(("id", "id", "name")), refused="the header has ['id'] more"),
    "truncated.xlsx": Case(workbook(NAMES, (1, "Ann"))[:-400], refused="the file is no readable Excel"),
    "csv.xlsx": Case(f"{HEAD}1,Ann\n", refused="the file is no readable Excel workbook"),
    "protected.xlsx": Case(protected(workbook(NAMES, (1, "Ann"))),
                           refused="the workbook is protected by a password"),
}  # fmt: skip

FILES = CSV | JSON | ARRAYS | WORKBOOKS | BROKEN
FORMATS = {"csv": "csv", "json": "json", "jsons": "json_array", "xlsx": "xlsx"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_becomes_rows_rescued_values_and_unparsed_records(
    contract: MakeContract, tmp_path: Path, name: str
) -> None:
    case = FILES[name]
    found = outcome(contract(format=FORMATS[name.split(".")[1]]), landed(tmp_path, name, case.content))
    assert (found.refused or "").startswith(case.refused or "")
    assert bool(found.refused) == bool(case.refused), found.refused
    assert (found.rows, found.rescued, found.unparsed) == (case.rows, case.rescued, case.unparsed)


@pytest.mark.parametrize("name", [name for name in CSV if len(CSV[name].content) < 1000])
def test_where_a_block_ends_makes_no_difference(
    contract: MakeContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = landed(tmp_path, name, CSV[name].content)
    as_one = outcome(contract(), file)
    monkeypatch.setattr(dialect, "_CHUNK", 16)
    assert outcome(contract(), file) == as_one


def test_the_end_of_a_quote_is_looked_for_in_a_limited_space(
    contract: MakeContract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "_CHUNK", 16)
    limits = Limits(record_bytes=32)
    content = f'{HEAD}1,"Ann\n' + "".join(f"{n},Bob\n" for n in range(2, 102))
    file = landed(tmp_path, "a.csv", content)
    rows = outcome(contract(), file, limits).rows
    assert len(rows) == 101 and (1, "Ann") in rows
    assert max(map(len, reader_for(contract(), limits).read(contract(), file))) < 10


def test_a_long_field_needs_no_long_block(contract: MakeContract, tmp_path: Path) -> None:
    name = "x\n" * 3_000_000
    (row,) = outcome(contract(), landed(tmp_path, "a.csv", f'{HEAD}1,"{name}"\n')).rows
    assert row == (1, name)


@pytest.mark.parametrize("format", ["csv", "json"])
def test_batches_are_bounded(contract: MakeContract, tmp_path: Path, format: str) -> None:
    line = "1,Ann Lee of somewhere\n" if format == "csv" else '{"id":1,"name":"Ann Lee of somewhere"}\n'
    content = (HEAD if format == "csv" else "") + line * 300_000
    file = landed(tmp_path, f"a.{format}.gz", gzip.compress(content.encode(), 1))
    table = contract(format=format)
    sizes = [batch.nbytes for batch in reader_for(table, Limits()).read(table, file)]
    assert len(sizes) > 1 and max(sizes) < 20_000_000


def test_a_complete_extract_without_records_is_refused(contract: MakeContract, tmp_path: Path) -> None:
    files = {
        "a.csv": HEAD,
        "b.csv": f"{HEAD}\n \n",
        "c.csv": f"{HEAD}{HEAD}",
        "a.json": "\n",
        "a.jsons": "[ ]",
        "a.xlsx": workbook(NAMES),
        "b.xlsx": workbook(NAMES, NAMES),
    }
    reasons = {
        outcome(
            contract(delivery="complete", format=FORMATS[name[2:]]), landed(tmp_path, name, content)
        ).refused
        for name, content in files.items()
    }
    assert reasons == {NO_RECORDS}


def test_a_sheet_is_found_by_its_name(contract: MakeContract, tmp_path: Path) -> None:
    table = contract(format="xlsx", sheet="People")
    right = landed(tmp_path, "right.xlsx", workbook(NAMES, (1, "Ann"), sheet="People"))
    wrong = landed(tmp_path, "wrong.xlsx", workbook(NAMES, (2, "Bob"), sheet="Places"))
    assert outcome(table, right).rows == [(1, "Ann")]
    assert outcome(table, wrong).refused == (
        "there is no sheet People, only ['Places']: rename it, or the contract's"
    )


def test_a_hidden_sheet_is_not_the_first_one(contract: MakeContract, tmp_path: Path) -> None:
    content = workbook(NAMES, (1, "Ann"), sheet="data", hidden=["old", "older"])
    assert outcome(contract(format="xlsx"), landed(tmp_path, "a.xlsx", content)).rows == [(1, "Ann")]
    named = outcome(contract(format="xlsx", sheet="old"), landed(tmp_path, "b.xlsx", content))
    assert named.refused == "the sheet is empty"


def test_sheets_of_other_kinds_and_hidden_ones_are_not_the_first(
    contract: MakeContract, tmp_path: Path
) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_chartsheet("chart").set_chart(chart := book.add_chart({"type": "line"}))
        chart.add_series({"values": "=data!$A$1:$A$2"})
        book.add_worksheet("old").very_hidden()
        for name in ("data", "more"):
            page = book.add_worksheet(name)
            page.write_row(0, 0, NAMES)
            page.write_row(1, 0, (1, name))
    file = landed(tmp_path, "a.xlsx", content.getvalue())
    assert outcome(contract(format="xlsx"), file).rows == [(1, "data")]
    assert outcome(contract(format="xlsx", sheet="more"), file).rows == [(1, "more")]
    assert outcome(contract(format="xlsx", sheet="chart"), file).refused == (
        "there is no sheet chart, only ['old', 'data', 'more']: rename it, or the contract's"
    )


def test_a_workbook_that_shows_no_worksheet_is_refused(contract: MakeContract, tmp_path: Path) -> None:
    content = rewritten(
        workbook(NAMES, (1, "Ann"), sheet="old"), b"<sheet ", b'<sheet state="hidden" ', "workbook"
    )
    refused = outcome(contract(format="xlsx"), landed(tmp_path, "a.xlsx", content)).refused
    assert refused == "the workbook shows no sheet, only hides ['old']: name one in the options"


@pytest.mark.parametrize("format", ["csv", "json", "json_array", "xlsx"])
def test_headers_may_differ_from_column_names(contract: MakeContract, tmp_path: Path, format: str) -> None:
    table = contract(
        columns={"customer_id": "int", "sub_category": "string"}, keys=["customer_id"],
        headers={"customer_id": "Customer ID", "sub_category": "Sub-Category"}, format=format,
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
    found = outcome(table, landed(tmp_path, "file", content))
    assert found.rows == [(1, "Chairs"), (None, "Tables")]
    # By their names in the file, so that one cannot hide the other.
    assert found.rescued == ['{"Customer ID":"n/a","customer_id":"8"}', '{"customer_id":"9"}']


OPTIONS = {
    "semicolons": ({"sep": ";"}, b'id;name\n1;"Ann\nLee"\n', "Ann\nLee"),
    "tabs": ({"delimiter": "\t"}, b"id\tname\n1\tAnn\n", "Ann"),
    "tabs_in_words": ({"sep": "\\t"}, b"id\tname\n1\tAnn\n", "Ann"),
    "two_bars": ({"sep": "||"}, b'id||name\n1||"a|b||c"\n', "a|b||c"),
    "broken_bars": ({"sep": "\u00a6"}, 'id\u00a6name\n1\u00a6"Ann\u00a6Lee"\n'.encode(), "Ann\u00a6Lee"),
    "latin1": ({"encoding": "ISO-8859-1"}, "id,name\n1,\u00c4nn\n".encode("latin-1"), "\u00c4nn"),
    "windows": ({"encoding": "windows-1252"}, b"id,name\n1,\x80 \x93x\x94\n", "\u20ac \u201cx\u201d"),
    "windows_hole": ({"encoding": "windows-1252"}, b"id,name\n1,\x81\n", None),
    "dos": ({"encoding": "cp850"}, b"id,name\n1,J\x81rg\n", "J\u00fcrg"),
    "japanese": ({"encoding": "shift_jis"}, "id,name\n1,\u8868\n".encode("shift_jis"), "\u8868"),
    "utf16": ({"encoding": "UTF-16"}, "id,name\n1,\u00c4nn\n".encode("utf-16"), "\u00c4nn"),
    "utf16le": ({"encoding": "UTF-16LE"}, 'id,name\r\n1,"\u00c4n\nn"\r\n'.encode("utf-16-le"), "\u00c4n\nn"),
    "apostrophes": ({"quote": "'"}, b"id,name\n1,'Ann\nLee'\n", "Ann\nLee"),
    "backslash": ({"escape": "\\"}, b'id,name\n1,"5\\" \\\\ \\n\nb"\n', '5" \\ \\n\nb'),
    "doubled_and_escaped": ({"escape": "\\"}, b'"id","name"\n1,"a ""b"" \\"c\\""\n', 'a "b" "c"'),
    "escaped_escape_at_the_end": ({"escape": "\\"}, b'id,name\n1,"a\\\\"\n', "a\\"),
    "null_in_the_header": ({"nullValue": "name"}, b"id,name\n1,name\n", None),
    "mark_over_option": ({"encoding": "windows-1252"}, "\ufeffid,name\n1,\u00c4\n".encode(), "\u00c4"),
    "mark_without_option": ({}, "\ufeffid,name\n1,\u00c4\n".encode("utf-16-be"), "\u00c4"),
    "mark_of_utf32": ({}, "\ufeffid,name\n1,\u00c4\n".encode("utf-32-le"), "\u00c4"),
    "mark_and_option": ({"encoding": "UTF-16LE"}, "\ufeffid,name\n1,\u00c4\n".encode("utf-16-le"), "\u00c4"),
    "korean": ({"encoding": "euc-kr"}, "id,name\n1,\uac00\n".encode("euc-kr"), "\uac00"),
    "json_mark": ({"format": "json", "encoding": "utf-8"}, '\ufeff{"id":1,"name":"a"}'.encode(), "a"),
    "array_mark": ({"format": "json_array", "encoding": "windows-1252"},
                   '\ufeff[{"id":1,"name":"\u00fc"}]'.encode("utf-16-le"), "\u00fc"),
    "null": ({"nullValue": "\\N"}, b"id,name\n1,\\N\n", None),
    "json_latin1": ({"format": "json", "encoding": "latin-1"}, b'{"id":1,"name":"J\xfcrg"}', "J\u00fcrg"),
    "array_utf16": ({"format": "json_array", "encoding": "utf-16"},
                    '[{"id":1,"name":"\u00fc"}]'.encode("utf-16"), "\u00fc"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_reach_header_and_records(contract: MakeContract, tmp_path: Path, name: str) -> None:
    options, content, expected = OPTIONS[name]
    assert outcome(contract(**options), landed(tmp_path, "file", content)).rows == [(1, expected)]


def test_one_column_has_blank_lines_too(contract: MakeContract, tmp_path: Path) -> None:
    table = contract(columns="id int")
    assert outcome(table, landed(tmp_path, "a.csv", "id\n1\n  \n\nid\n2\n")).rows == [(1,), (2,)]
