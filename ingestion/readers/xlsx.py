"""Excel workbooks: one sheet with a header in its first row."""

import io
import posixpath
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import reduce
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from ingestion.contracts import SourceTable
from ingestion.frames import from_arrow
from ingestion.landing import LandedFile
from ingestion.readers import EXTRA, NO_RECORDS, UNPARSED, URI, FileRefused, check_header

Row = list[str | None]

# How files of Excel 97 begin, and those that Excel has encrypted.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# A cell with an error such as #N/A, where it is, and the error.
_ERROR_CELL = re.compile(rb'<c\s[^>]*\bt="e"[^>]*>.*?</c>', re.DOTALL)
_PLACE, _ERROR = re.compile(rb'\br="([A-Z]+)(\d+)"'), re.compile(rb"<v>(.*?)</v>")


class XlsxReader:
    """Reads the sheet that the option `sheet` names, or the first one."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse what is no readable workbook, lacks the sheet or the contract's columns."""
        rows = _rows(table, file)
        header = next(rows, None)
        if header is None:
            raise FileRefused("the sheet is empty")
        names = [name for name in header if name is not None]
        check_header(table, names, "is the header in the first row, and is it the right sheet?")
        if table.arrives.delivery == "complete" and next(rows, None) is None:
            raise FileRefused(NO_RECORDS)

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Read the files, each in memory as a whole; blank rows are no records."""
        return from_arrow(spark, pa.concat_tables(_records(table, file) for file in files))


def _records(table: SourceTable, file: LandedFile) -> pa.Table:
    rows = _rows(table, file)
    header = next(rows)
    declared = {column.header: column.name for column in table.columns}
    values = list(zip(*rows, strict=True)) or [()] * len(header)
    columns = {
        declared[name]: pa.array(cells, pa.string())
        for name, cells in zip(header, values, strict=True)
        if name in declared
    }
    undeclared = [(p, name) for p, name in enumerate(header) if name not in declared]
    count = len(values[0])
    columns[EXTRA] = pa.array(
        [_extra(undeclared, values, row) for row in range(count)], pa.map_(pa.string(), pa.string())
    )
    columns[UNPARSED] = pa.nulls(count, pa.string())
    columns[URI] = pa.repeat(pa.scalar(file.uri), count)
    return pa.table({name: columns[name] for name in [*declared.values(), EXTRA, UNPARSED, URI]})


def _extra(
    undeclared: list[tuple[int, str | None]], values: Sequence[Sequence[str | None]], row: int
) -> list[tuple[str, str]] | None:
    """Cells of a row in undeclared columns; one without a header is called by its number."""
    cells = ((name or f"column {p + 1}", values[p][row]) for p, name in undeclared)
    return [(name, cell) for name, cell in cells if cell is not None] or None


def _rows(table: SourceTable, file: LandedFile) -> Iterator[Row]:
    """Rows that are not blank, their cells as text."""
    with file.open() as content:
        data = content.read()
    if not data:
        raise FileRefused("the file is empty")
    if data.startswith(_OLE):
        raise FileRefused(
            "the workbook is protected by a password or in the old format: save it as plain .xlsx"
        )
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = workbook.sheet_names
        name = table.arrives.options.get("sheet", names[0])
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for row, column, error in _errors(data, name):
            rows[row][column] = error
    except WorksheetNotFound as error:
        raise FileRefused(f"there is no sheet {error}, only {names}: rename it, or the contract's") from None
    except (CalamineError, BadZipFile, LookupError, ValueError, RuntimeError, SyntaxError) as error:
        raise FileRefused(f"the file is no readable Excel workbook, is it complete? {error}") from None
    return (row for row in ([_as_text(cell) for cell in cells] for cells in rows) if any(row))


def _errors(data: bytes, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Row and column, from 0, of cells with an error, which calamine shows as empty, and the error."""
    with ZipFile(io.BytesIO(data)) as archive:
        content = archive.read(_part(archive, sheet))
    for cell in _ERROR_CELL.findall(content):
        place, error = _PLACE.search(cell), _ERROR.search(cell)
        if place and error:
            column = reduce(lambda number, letter: 26 * number + letter - ord("A") + 1, place[1], 0)
            yield int(place[2]) - 1, column - 1, error[1].decode()


def _part(archive: ZipFile, sheet: str) -> str:
    """Name of the part of a workbook that holds a sheet."""
    sheets = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter()
    (found,) = (s for s in sheets if s.tag.endswith("}sheet") and s.get("name") == sheet)
    (number,) = (value for name, value in found.items() if name.endswith("}id"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    (target,) = (relation.get("Target", "") for relation in relations if relation.get("Id") == number)
    return posixpath.join("xl", target).removeprefix("/")


def _as_text(cell: object) -> str | None:
    match cell:
        case "" | None:
            return None
        case bool():
            return str(cell).lower()
        # Excel has no integers.
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return (cell.date() if cell.time() == datetime.min.time() else cell).isoformat()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
