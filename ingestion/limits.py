"""How much a file may hold: one that holds more is refused, and cannot end the process that reads it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a landed file; each is a setting, `LAKEHOUSE_MAX_` and its name in capitals.

    `file_bytes` count after decompression. A record is a line, or an element of a JSON array; of those that
    cannot be parsed a file may have `broken_records`. `columns` are those of a header. The cells of a sheet
    are its rows by its columns, from A1 to the last cells that are not empty; a workbook, which is read as a
    whole, may have `workbook_bytes` after decompression, and its sheet that many bytes of text.
    """

    file_bytes: int = 100_000_000_000
    record_bytes: int = 16_000_000
    broken_records: int = 100_000
    columns: int = 10_000
    json_depth: int = 100
    sheet_cells: int = 10_000_000
    workbook_bytes: int = 500_000_000


DEFAULT = Limits()
