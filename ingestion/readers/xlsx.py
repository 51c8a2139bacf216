"""Excel workbooks: one sheet with a header in its first row."""

import io
import posixpath
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import reduce
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.readers import NO_RECORDS, FileRefused, check_header
from ingestion.readers.records import from_sheet, strings

Row = list[str | None]

# How files of Excel 97 begin, and those that Excel has encrypted.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_PLACE = re.compile(r"([A-Z]+)[0-9]+")


class XlsxReader:
    """Reads the sheet that the option `sheet` names, or the first one that Excel shows."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse what is no readable workbook, lacks the sheet or the contract's columns."""
        rows = _rows(table, file)
        header = next(rows, None)
        if header is None:
            raise FileRefused("the sheet is empty")
        names = [name for name in header if name is not None]
        check_header(table, names, "is the header in the first row, and is it the right sheet?")
        if table.arrives.delivery == "complete" and all(row == header for row in rows):
            raise FileRefused(NO_RECORDS)

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file, in memory as a whole; blank rows are no records."""
        header, *rows = _rows(table, file)
        if rows:
            yield from_sheet(table, header, [strings(cells) for cells in zip(*rows, strict=True)])


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
        name = _sheet(workbook, table.arrives.options.get("sheet"))
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for row, column, error in _errors(data, name):
            rows[row][column] = error
    except (CalamineError, BadZipFile, LookupError, ValueError, RuntimeError, SyntaxError) as error:
        raise FileRefused(f"the file is no readable Excel workbook, is it complete? {error}") from None
    return (row for row in ([_as_text(cell) for cell in cells] for cells in rows) if any(row))


def _sheet(workbook: CalamineWorkbook, named: str | None) -> str:
    """The worksheet of this name, or the first that is not hidden; charts and macros have sheets too."""
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if named and named not in names:
        raise FileRefused(f"there is no sheet {named}, only {names}: rename it, or the contract's")
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    if not named and not visible:
        raise FileRefused(f"the workbook shows no sheet, only hides {names}: name one in the options")
    return named or visible[0]


def _errors(data: bytes, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Row and column, from 0, of cells with an error, which calamine shows as empty, and the error.

    Raises:
        FileRefused: a cell has a formula, but no value; calamine shows it as empty too.
    """
    row = -1
    with ZipFile(io.BytesIO(data)) as archive, archive.open(_part(archive, sheet)) as content:
        for _, element in ElementTree.iterparse(content):
            if element.tag.endswith("}row"):
                row, column = int(element.get("r", row + 2)) - 1, -1
                for cell in element:
                    place = cell.get("r")
                    column = _column(place) if place else column + 1
                    if (error := _error(cell, place, sheet)) is not None:
                        yield row, column, error
                element.clear()


def _error(cell: ElementTree.Element, place: str | None, sheet: str) -> str | None:
    """The error in a cell; null where there is none."""
    parts = {part.tag.rpartition("}")[2]: part.text or "" for part in cell}
    kind, value = cell.get("t", "n"), parts.get("v")
    # An empty text is a value.
    if "f" in parts and not value and (value is None or kind != "str"):
        raise FileRefused(
            f"cell {place or ''} of sheet {sheet} has a formula, but no value: "
            "open the file in Excel and save it"
        )
    return value or "" if kind == "e" else None


def _column(place: str) -> int:
    """Column, from 0, of a cell such as B7."""
    match = _PLACE.fullmatch(place)
    if not match:
        raise ValueError(f"there is no cell {place!r}")
    return reduce(lambda number, letter: 26 * number + ord(letter) - ord("A") + 1, match[1], 0) - 1


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
