"""Files that would take more memory or time than there is are refused, and cost nothing else."""

import gzip
import io
import multiprocessing
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from ingestion.bronze.batch import Origin, rows_of
from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.limits import DEFAULT, Limits
from ingestion.readers import FileRefused, read_within, reader_for

from .files import landed, workbook

MakeContract = Callable[..., SourceTable]

# What the process that reads may take beyond what it has when it begins.
_MOST_MEMORY = 1 << 30
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Reading:
    """What came of a file: why it was refused, rows, rejected records, and the seconds it took."""

    refused: str | None
    rows: int
    rejected: int
    seconds: float


Read = Callable[..., Reading]


def _limit_memory() -> None:
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MOST_MEMORY,) * 2)


def _read(table: SourceTable, file: LandedFile, limits: Limits = DEFAULT) -> Reading:
    started = time.process_time()
    refused, rows, rejected = None, 0, 0
    try:
        reader_for(table, limits).check(table, file)
        origin = Origin(file.path, datetime.now(UTC), "batch")
        for accepted, left_out in rows_of(table, read_within(table, file, limits), origin):
            rows += accepted.num_rows
            rejected += left_out.num_rows
    except FileRefused as refusal:
        refused = str(refusal)
    except (OSError, EOFError, zlib.error) as error:
        refused = f"cannot be read: {error}"
    return Reading(refused, rows, rejected, time.process_time() - started)


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    """Reads in a process of its own, which may not take more than so much memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _limit_memory) as process:
        yield lambda *given: process.submit(_read, *given).result(timeout=300)


def zipped(*parts: tuple[bytes | str, int]) -> bytes:
    """Contents, each so many times, as a gzip file of many members."""
    return b"".join(
        gzip.compress(part.encode() if isinstance(part, str) else part) * times for part, times in parts
    )


HEAD = "id,name\n"
A_GIGABYTE_OF_ZEROS = zipped((bytes(_MEGABYTE), 1024))
_LONG_LINE = "a line has more than 16,000,000 bytes (LAKEHOUSE_MAX_RECORD_BYTES)"
_LONG_ELEMENT = "an element of the array, or what follows it, has more than 16,000,000 bytes"
_DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000
_DIGITS = "7" * 1_000_000

REFUSED = {
    "zeros.csv.gz": (A_GIGABYTE_OF_ZEROS, _LONG_LINE),
    "zeros.json.gz": (A_GIGABYTE_OF_ZEROS, _LONG_LINE),
    "zeros.jsons.gz": (A_GIGABYTE_OF_ZEROS, "a JSON array is declared, but the file begins with '\\x00\\x00"),
    "zeros_in_an_array.jsons.gz": (gzip.compress(b"[") + A_GIGABYTE_OF_ZEROS, _LONG_ELEMENT),
    "zeros.xlsx.gz": (A_GIGABYTE_OF_ZEROS, "the file has more than 500,000,000 bytes "
                                           "(LAKEHOUSE_MAX_WORKBOOK_BYTES) after decompression"),
    "no_line_end.csv.gz": (zipped((f"{HEAD}1,", 1), ("x" * _MEGABYTE, 300)), _LONG_LINE),
    "no_line_end.json.gz": (zipped(('{"id":1}\n{"id":2,"name":"', 1), ("x" * _MEGABYTE, 300)), _LONG_LINE),
    "a_long_element.jsons.gz": (
        zipped(('[{"id":1},{"id":2,"name":"', 1), ("x" * _MEGABYTE, 300), ('"}]', 1)), _LONG_ELEMENT,
    ),
    "a_long_tree.jsons.gz": (
        zipped(('[{"id":1,"name":"a","below":[', 1), ('{"id":2,"name":"b"},' * 50_000, 50), ("1]}]", 1)),
        _LONG_ELEMENT,
    ),
    "what_follows_an_array.jsons.gz": (zipped(('[{"id":1}]', 1), ("x" * _MEGABYTE, 300)), _LONG_ELEMENT),
    "many_columns.csv": (
        "id,name," + ",".join(f"c{n}" for n in range(100_000)) + "\n1,Ann\n",
        "the header has 100,002 columns, more than 10,000 (LAKEHOUSE_MAX_COLUMNS)",
    ),
    "commas.csv.gz": (zipped((HEAD.strip() + "," * 1_000_000 + "\n1,Ann\n", 1)),
                      "the header has 1,000,002 columns, more than 10,000"),
    "broken.csv": (f"{HEAD}1,Ann\n" + "x\n" * 100_001, "more than 100,000 records cannot be parsed (LAKE"),
    "broken.json": ('{"id":1}\n' + "x\n" * 100_001, "more than 100,000 records cannot be parsed"),
    "broken.jsons": ('[{"id":1}' + ",{x}" * 100_001 + "]", "more than 100,000 records cannot be parsed"),
    "cut.csv.gz": (zipped((f"{HEAD}1,Ann\n", 1000))[:-5], "cannot be read: Compressed file ended before"),
    "garbage_behind.csv.gz": (zipped((f"{HEAD}1,Ann\n", 1)) + b"garbage", "cannot be read: Not a gzipped"),
}  # fmt: skip

LOADED = {
    # name: content, rows, rejected records
    "deep.json": (f'{{"id":1}}\n{{"id":2,"name":{_DEEP}}}\n', 1, 1),
    "deep_and_open.json": ('{"id":1}\n' + '{"a":' * 100_000 + "\n", 1, 1),
    "as_deep_as_allowed.json": (f'{{"id":1,"name":{"[" * 99}{"]" * 99}}}\n', 1, 0),
    "too_deep.json": (f'{{"id":2}}\n{{"id":1,"name":{"[" * 100}{"]" * 100}}}\n', 1, 1),
    "deep.jsons": (f'[{{"id":1}},{{"id":2,"name":{_DEEP}}},{{"id":3}}]', 2, 1),
    "digits.csv": (f"id,name\n{_DIGITS},a\n1,{_DIGITS}\n-{_DIGITS}.{_DIGITS}e{_DIGITS},b\n", 3, 2),
    "digits.json": (f'{{"id":{_DIGITS}}}\n{{"id":1,"name":{_DIGITS}}}\n{{"id":1.{_DIGITS}e9{_DIGITS}}}\n',
                    3, 2),
    "an_open_quote.csv.gz": (zipped((f'{HEAD}1,"Ann\n', 1), ("2,Bob Lee of Somewhere\n" * 50_000, 40)),
                             2_000_001, 0),
    "blank_lines.csv.gz": (zipped((f"{HEAD}1,Ann\n", 1), ("\n" * _MEGABYTE, 100)), 1, 0),
    "blanks.jsons.gz": (zipped(("[", 1), (" " * _MEGABYTE, 100), ('{"id":1}]', 1)), 1, 0),
}  # fmt: skip

FORMATS = {"csv": "csv", "json": "json", "jsons": "json_array", "xlsx": "xlsx"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_large_is_refused(contract: MakeContract, read: Read, tmp_path: Path, name: str) -> None:
    content, reason = REFUSED[name]
    reading = read(contract(format=FORMATS[name.split(".")[1]]), landed(tmp_path, name, content))
    assert (reading.refused or "").startswith(reason), reading
    assert len(reading.refused or "") < 1000


@pytest.mark.parametrize("name", LOADED)
def test_what_is_odd_costs_its_own_record(
    contract: MakeContract, read: Read, tmp_path: Path, name: str
) -> None:
    content, rows, rejected = LOADED[name]
    reading = read(contract(format=FORMATS[name.split(".")[1]]), landed(tmp_path, name, content))
    assert (reading.refused, reading.rows, reading.rejected) == (None, rows, rejected)


def test_a_file_has_a_limit_after_decompression_and_before(
    contract: MakeContract, read: Read, tmp_path: Path
) -> None:
    content, limits = f"{HEAD}1,Ann\n" * 1000, Limits(file_bytes=10_000)
    plain, compressed = (
        read(contract(), landed(tmp_path, name, data), limits).refused
        for name, data in (("a.csv", content), ("a.csv.gz", zipped((content, 1))))
    )
    assert plain == "the file has 14,000 bytes, more than 10,000 (LAKEHOUSE_MAX_FILE_BYTES)"
    assert (compressed or "").startswith(
        "the file has more than 10,000 bytes (LAKEHOUSE_MAX_FILE_BYTES) after"
    )


@pytest.mark.parametrize(
    "broken",
    ['{"id":2,"name":"A"n"}', '{"id":2,"name":"A}', '{\\"id\\":2}', '{"id":2,"x":[{]}'],
)
def test_broken_records_of_an_array_take_linear_time(
    contract: MakeContract, read: Read, tmp_path: Path, broken: str
) -> None:
    few, many = (
        read(
            contract(format="json_array"),
            landed(tmp_path, f"{count}.json", "[" + f'{{"id":1,"name":"Ann"}},{broken},\n' * count + "{}]"),
            Limits(broken_records=10**6),
        )
        for count in (4_000, 32_000)
    )
    assert many.rows >= 32_000 and few.rejected > 1 and many.refused is None
    assert many.seconds < 16 * few.seconds


# Workbooks


def sheet(rows: str, content: bytes | None = None, before: str = "", size: str = "A1:B2") -> bytes:
    """A workbook with another sheet, compressed."""
    namespace = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    header = '<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>name</v></c></row>'
    xml = (
        f'{before}<worksheet {namespace}><dimension ref="{size}"/>'
        f"<sheetData>{header}{rows}</sheetData></worksheet>"
    )
    return _with_part(content or workbook(("text",)), "xl/worksheets/sheet1.xml", xml.encode())


def _with_part(content: bytes, part: str, data: bytes) -> bytes:
    changed = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as archive, ZipFile(changed, "w", ZIP_DEFLATED) as target:
        for name in archive.namelist():
            target.writestr(name, data if name == part else archive.read(name))
    return changed.getvalue()


def _texts(texts: str, rows: str) -> bytes:
    xml = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{texts}</sst>'
    return _with_part(sheet(rows), "xl/sharedStrings.xml", xml.encode())


def _small(content: bytes) -> bytes:
    """A workbook whose directory says that its parts are small."""
    changed = bytearray(content)
    with ZipFile(io.BytesIO(content)) as archive:
        part = max(archive.infolist(), key=lambda part: part.file_size)
        size = part.file_size.to_bytes(4, "little")
    while (position := changed.find(size)) >= 0:
        changed[position : position + 4] = (1000).to_bytes(4, "little")
    return bytes(changed)


_SMALL_LIMIT = Limits(workbook_bytes=20_000_000)
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
_ROW = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>'
_ZEROS = sheet("<row/>" * 5_000_000)
_BOMB = '<!DOCTYPE x [<!ENTITY a "{}">{}]>'.format(
    "a" * 1000, "".join(f'<!ENTITY {b} "{f"&{a};" * 100}">' for a, b in ("ab", "bc", "cd", "de"))
)
_TOO_LARGE = "the workbook has more than 20,000,000 bytes after decompression (LAKEHOUSE_MAX_WORKBOOK_BYTES)"
_HAS_TYPE = "the workbook's XML declares a document type"

WORKBOOKS = {
    "far.xlsx": (sheet(FAR), "cell XFD1048576 makes sheet Sheet1 one of 1,048,576 rows and 16,384 columns, "
                              "more than 10,000,000 cells (LAKEHOUSE_MAX_SHEET_CELLS)"),
    "farther.xlsx": (sheet(FAR.replace("XFD1048576", "ZZZZ99999999")), "the file is no readable Excel"),
    "zeros.xlsx": (_ZEROS, _TOO_LARGE),
    "zeros_that_are_denied.xlsx": (_small(_ZEROS), _TOO_LARGE),
    "one_text_in_many_cells.xlsx": (
        _texts(f"<si><t>{'x' * 32_000}</t></si>", _ROW * 1000), "the texts of sheet Sheet1 have more than "
        "20,000,000 bytes (LAKEHOUSE_MAX_WORKBOOK_BYTES)",
    ),
    "entities.xlsx": (sheet('<row><c t="str"><v>&e;</v></c></row>', before=_BOMB), _HAS_TYPE),
    "entities_in_texts.xlsx": (
        _with_part(sheet(_ROW), "xl/sharedStrings.xml", f"{_BOMB}<sst><si><t>&e;</t></si></sst>".encode()),
        # calamine takes no entities
        "the file is no readable Excel workbook",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_that_is_too_large_is_refused(
    contract: MakeContract, read: Read, tmp_path: Path, name: str
) -> None:
    content, reason = WORKBOOKS[name]
    assert len(content) < 500_000
    reading = read(contract(format="xlsx"), landed(tmp_path, name, content), _SMALL_LIMIT)
    assert (reading.refused or "").startswith(reason), reading


@pytest.mark.parametrize(
    "content",
    [
        sheet('<row r="2"><c r="A2"><v>1</v></c></row>', size="A1:XFD1048576"),
        sheet('<row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'),
    ],
)
def test_a_sheet_counts_as_far_as_it_has_values(
    contract: MakeContract, read: Read, tmp_path: Path, content: bytes
) -> None:
    reading = read(contract(format="xlsx"), landed(tmp_path, "a.xlsx", content))
    assert (reading.refused, reading.rows) == (None, 1)
