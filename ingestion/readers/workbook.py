"""What the XML of a workbook says before calamine reads it: how large it is, and which cells have errors.

Calamine makes room for all cells between the first and the last, takes a shared text into memory for each
cell that has it, and shows cells with an error as empty.
"""

import posixpath
import re
from array import array
from collections.abc import Iterator
from functools import reduce
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from ingestion.limits import Limits
from ingestion.readers import FileRefused

# The last cell of Excel is XFD1048576.
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
# Large, as expat looks again at all of an element that begins in one chunk and ends in another.
_CHUNK = 1 << 23
_MOST_SHEETS = 10_000
# What of a value is looked at: the number of a text, an error.
_VALUE_CHARACTERS = 100
_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TEXTS = "xl/sharedStrings.xml"

# Row and column, from 0, and the error that a cell shows.
Error = tuple[int, int, str]


def check_size(archive: ZipFile, limits: Limits) -> None:
    """Refuse a workbook of which all parts together are too large, whatever it says of their size."""
    size = 0
    for part in archive.infolist():
        for chunk in _chunks(archive, part):
            size += len(chunk)
            if size > limits.workbook_bytes:
                raise FileRefused(
                    f"the workbook has more than {limits.workbook_bytes:,} bytes after decompression "
                    "(LAKEHOUSE_MAX_WORKBOOK_BYTES): split it, send it as CSV, or raise the setting"
                )


def errors_of_sheet(archive: ZipFile, sheet: str, limits: Limits) -> list[Error]:
    """The cells with an error in a sheet.

    Raises:
        FileRefused: the sheet is too large, or a cell has a formula, but no value.
        ValueError, LookupError, SyntaxError: it is no sheet.
    """
    texts = _Texts(limits)
    if _TEXTS in archive.namelist():
        _parse(archive, _TEXTS, texts)
    cells = _Cells(sheet, texts.lengths, limits)
    _parse(archive, _part(archive, sheet), cells)
    return cells.errors


def _chunks(archive: ZipFile, part: ZipInfo) -> Iterator[bytes]:
    # It is read to its end, which the size that is given may hide.
    part.file_size = 1 << 62
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            yield chunk


def _part(archive: ZipFile, sheet: str) -> str:
    """Name of the part of a workbook that holds a sheet."""
    sheets, relations = _List("sheet"), _List("Relationship")
    _parse(archive, _WORKBOOK, sheets)
    _parse(archive, _RELATIONS, relations)
    (found,) = (element for element in sheets.elements if element.get("name") == sheet)
    (number,) = (value for name, value in found.items() if name.endswith(":id"))
    (target,) = (relation["Target"] for relation in relations.elements if relation["Id"] == number)
    return posixpath.join("xl", target).removeprefix("/")


class _Handler:
    """Is called for what stands in a part; names are without a prefix."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, text: str) -> None:
        """Text in the element that began last."""

    def end(self, name: str) -> None:
        """An element ends."""


def _parse(archive: ZipFile, name: str, handler: _Handler) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: handler.start(_bare(name), attributes)
    parser.EndElementHandler = lambda name: handler.end(_bare(name))
    parser.CharacterDataHandler = handler.text
    # Only documents with a type can define entities, which may stand for texts without end.
    parser.StartDoctypeDeclHandler = _refuse_type
    try:
        for chunk in _chunks(archive, archive.getinfo(name)):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(f"{name}: {error}") from None


def _refuse_type(*declared: object) -> None:
    raise FileRefused("the workbook's XML declares a document type, which no spreadsheet program writes")


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


class _List(_Handler):
    """The attributes of all elements of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.elements: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """One more, perhaps."""
        if name == self._name:
            self.elements.append(attributes)
        if len(self.elements) > _MOST_SHEETS:
            raise ValueError(f"it has more than {_MOST_SHEETS:,} sheets")


class _Texts(_Handler):
    """The lengths of the texts that cells share."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.lengths = array("L")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A text begins with `si`."""
        if name == "si":
            if len(self.lengths) == self._limits.sheet_cells:
                raise FileRefused(
                    f"the workbook has more than {self._limits.sheet_cells:,} texts "
                    "(LAKEHOUSE_MAX_SHEET_CELLS): split it, send it as CSV, or raise the setting"
                )
            self.lengths.append(0)

    def text(self, text: str) -> None:
        """Part of a text, or what is between them."""
        if self.lengths:
            self.lengths[-1] += len(text)


class _Cells(_Handler):
    """Counts the cells of a sheet and their shared texts, and keeps the errors."""

    def __init__(self, sheet: str, lengths: "array[int]", limits: Limits) -> None:
        self.errors: list[Error] = []
        self._sheet, self._lengths, self._limits = sheet, lengths, limits
        self._row = self._column = -1
        self._cells = self._rows = self._columns = self._characters = 0
        # Of the cell: its type, its name where it has one, what is in it, and its value.
        self._kind, self._place = "n", ""
        self._inside: set[str] = set()
        self._element, self._value = "", ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row or a cell, which may not say where they are, or something in it."""
        self._element = name
        if name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 2)) - 1, -1
        elif name == "c":
            self._kind, self._place = attributes.get("t", "n"), attributes.get("r", "")
            self._column += 1
            if self._place:
                self._row, self._column = _position(self._place)
            self._inside, self._value = set(), ""
        elif name in ("v", "is", "f"):
            self._inside.add(name)

    def text(self, text: str) -> None:
        """Part of a value, or what is between elements."""
        if self._element == "v" and len(self._value) < _VALUE_CHARACTERS:
            self._value += text[:_VALUE_CHARACTERS]

    def end(self, name: str) -> None:
        """A cell ends, or something else."""
        self._element = ""
        if name == "c" and self._inside:
            self._check_formula()
            self._count()
            if self._kind == "e":
                self.errors.append((self._row, self._column, self._value))

    def _check_formula(self) -> None:
        # An empty text is a value.
        has_value = self._value or ("v" in self._inside and self._kind == "str")
        if "f" in self._inside and not has_value:
            raise FileRefused(
                f"cell {self._place} of sheet {self._sheet} has a formula, but no value: "
                "open the file in Excel and save it"
            )

    def _count(self) -> None:
        self._cells += 1
        self._rows, self._columns = max(self._rows, self._row + 1), max(self._columns, self._column + 1)
        if max(self._cells, self._rows * self._columns) > self._limits.sheet_cells:
            raise FileRefused(
                f"cell {self._place} makes sheet {self._sheet} one of {self._rows:,} rows and "
                f"{self._columns:,} columns, more than {self._limits.sheet_cells:,} cells "
                "(LAKEHOUSE_MAX_SHEET_CELLS): clear cells that stand far out, or raise the setting"
            )
        if self._kind == "s" and self._value:
            self._characters += self._lengths[int(self._value)]
            if self._characters > self._limits.workbook_bytes:
                raise FileRefused(
                    f"the texts of sheet {self._sheet} have more than {self._limits.workbook_bytes:,} bytes "
                    "(LAKEHOUSE_MAX_WORKBOOK_BYTES): many cells repeat long texts"
                )


def _position(place: str) -> tuple[int, int]:
    """Row and column, from 0, of a cell such as B7."""
    match = _PLACE.fullmatch(place)
    if not match or int(match[2]) == 0:
        raise ValueError(f"there is no cell {place[:20]!r}")
    column = reduce(lambda number, letter: 26 * number + ord(letter) - ord("A") + 1, match[1], 0) - 1
    return int(match[2]) - 1, column
