"""Excel workbooks: one sheet with a header in its first row."""

import io
from collections.abc import Iterator
from datetime import date, datetime
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
from ingestion.limits import Limits
from ingestion.readers import NO_RECORDS, FileRefused, check_header, listed, open_limited
from ingestion.readers.records import from_sheet, strings
from ingestion.readers.workbook import check_size, errors_of_sheet

Row = list[str | None]

# How files of Excel 97 begin, and those that Excel has encrypted.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class XlsxReader:
    """Reads the sheet that the option `sheet` names, or the first one that Excel shows."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse what is no readable workbook, lacks the sheet or the contract's columns."""
        rows = _rows(table, file, self._limits)
        header = next(rows, None)
        if header is None:
            raise FileRefused("the sheet is empty")
        names = [name for name in header if name is not None]
        hint = "is the header in the first row, and is it the right sheet?"
        check_header(table, names, hint, self._limits)
        if table.arrives.delivery == "complete" and all(row == header for row in rows):
            raise FileRefused(NO_RECORDS)

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file, in memory as a whole; blank rows are no records."""
        header, *rows = _rows(table, file, self._limits)
        if rows:
            yield from_sheet(table, header, [strings(cells) for cells in zip(*rows, strict=True)])


def _rows(table: SourceTable, file: LandedFile, limits: Limits) -> Iterator[Row]:
    """Rows that are not blank, their cells as text."""
    with open_limited(file, limits.workbook_bytes, "LAKEHOUSE_MAX_WORKBOOK_BYTES") as content:
        data = content.read()
    if not data:
        raise FileRefused("the file is empty")
    if data.startswith(_OLE):
        raise FileRefused(
            "the workbook is protected by a password or in the old format: save it as plain .xlsx"
        )
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            check_size(archive, limits)
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
            name = _sheet(workbook, table.arrives.options.get("sheet"))
            # Before calamine makes room for all cells.
            errors = errors_of_sheet(archive, name, limits)
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for row, column, error in errors:
            rows[row][column] = error
    except (CalamineError, BadZipFile, LookupError, ValueError, RuntimeError, SyntaxError) as error:
        raise FileRefused(f"the file is no readable Excel workbook, is it complete? {error}") from None
    except BaseException as error:
        # What Rust gives up with is no Exception, and no class that can be imported.
        if type(error).__name__ == "PanicException":
            raise FileRefused(f"the file is no readable Excel workbook: {error}") from None
        raise
    return (row for row in ([_as_text(cell) for cell in cells] for cells in rows) if any(row))


def _sheet(workbook: CalamineWorkbook, named: str | None) -> str:
    """The worksheet of this name, or the first that is not hidden; charts and macros have sheets too."""
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if named and named not in names:
        raise FileRefused(f"there is no sheet {named}, only {listed(names)}: rename it, or the contract's")
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    if not named and not visible:
        raise FileRefused(f"the workbook shows no sheet, only hides {listed(names)}: name one in the options")
    return named or visible[0]


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
