"""Files as they land, and what readers make of them."""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import xlsxwriter

from ingestion.bronze.conform import conform
from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.limits import DEFAULT, Limits
from ingestion.readers import FileRefused, check_compression, reader_for

Rows = list[tuple[Any, ...]]


@dataclass
class Case:
    """A file and what is to become of it: rows, rescued values and records that cannot be parsed."""

    content: str | bytes
    rows: Rows = field(default_factory=list)
    rescued: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    refused: str | None = None


def landed(folder: Path, name: str, content: str | bytes) -> LandedFile:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return LandedFile(datetime(2026, 1, 1, tzinfo=UTC), str(path), path.stat().st_size)


def outcome(table: SourceTable, file: LandedFile, limits: Limits = DEFAULT) -> Case:
    """What became of a file; its records in a fixed order."""
    rows: Rows = []
    rescued: list[str] = []
    unparsed: list[str] = []
    try:
        check_compression(file)
        reader = reader_for(table, limits)
        reader.check(table, file)
        for batch in reader.read(table, file):
            batch.validate(full=True)
            for record in conform(batch, table).to_pylist():
                *values, rescued_data, text = record.values()
                if text is not None:
                    assert not any(values)
                    unparsed.append(text)
                    continue
                rows.append(tuple(values))
                if rescued_data is not None:
                    rescued.append(rescued_data)
    except FileRefused as refusal:
        return Case("", refused=str(refusal))
    except (OSError, EOFError, zlib.error) as error:
        return Case("", refused=f"cannot be read: {error}")
    return Case("", sorted(rows, key=repr), sorted(rescued), sorted(unparsed))


@dataclass
class Formula:
    """A cell with a formula, and its value as text; null where the program stored none."""

    text: str
    value: str | None


def workbook(*rows: Sequence[object], sheet: str = "Sheet1", hidden: Sequence[str] = ()) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name in hidden:
            book.add_worksheet(name).hide()
        page = book.add_worksheet(sheet)
        page.activate()
        page.set_first_sheet()
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, Formula):
                    page.write_formula(number, column, cell.text, value="?" if cell.value is None else "!")
                elif str(cell).startswith("#"):
                    page.write_formula(number, column, "=A1", value=cell)
                else:
                    page.write(number, column, cell)
    without = rewritten(content.getvalue(), b' t="str"><f>A1</f><v>?</v></c>', b"><f>A1</f></c>")
    return rewritten(without, b"<f>A1</f><v>!</v>", b"<f>A1</f><v></v>")


def rewritten(content: bytes, old: bytes, new: bytes, part: str = "sheet1") -> bytes:
    """A workbook of which a part, by default the first sheet, is written in another way."""
    changed = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as archive, ZipFile(changed, "w") as target:
        for name in archive.namelist():
            data = archive.read(name)
            target.writestr(name, data.replace(old, new) if name.endswith(f"{part}.xml") else data)
    return changed.getvalue()
