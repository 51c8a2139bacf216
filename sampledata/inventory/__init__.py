"""Stock as the warehouses export it every evening: some as CSV, some as JSON lines."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from sampledata.company import Company
from sampledata.company.assortment import WAREHOUSES
from sampledata.company.model import Level
from sampledata.files import delivery_file, write_text
from sampledata.sampling import Streams, mark

_COLUMNS = ["timestamp", "product_title", "variant_title", "sku", "location_id", "available"]
_ENDINGS = {"csv": "csv", "json": "jsonl"}
_DEFECTS = {"repeated": 0.001}


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write a file per warehouse with the levels of all days of a delivery, and return their paths."""
    rows: dict[int, list[list[Any]]] = {warehouse.id: [] for warehouse in WAREHOUSES}
    for level in Company(streams, scale, delivery).levels():
        rows[level.warehouse.id].append(_row(level))
    paths = []
    for warehouse in WAREHOUSES:
        sent = _repeated(streams, delivery, warehouse.id, rows[warehouse.id])
        text = _csv(sent) if warehouse.exports == "csv" else _json_lines(sent)
        path = delivery_file(folder, f"stock_{warehouse.id}", delivery, _ENDINGS[warehouse.exports])
        paths.append(write_text(path, [text.encode()]))
    return paths


def _row(level: Level) -> list[Any]:
    product, variant = level.article
    at = f"{level.at:%Y-%m-%d %H:%M:%S}"
    sku = variant.sku_at(level.at)
    return [at, product.title, variant.title, sku, level.warehouse.id, level.available]


def _repeated(streams: Streams, delivery: int, warehouse: int, rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows, some of them twice."""
    marks = mark(streams.of("inventory.repeated", delivery, warehouse), len(rows), _DEFECTS)
    return rows + [rows[place] for place in marks.rows["repeated"].tolist()]


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
    return text.getvalue()


def _json_lines(rows: list[list[Any]]) -> str:
    return "".join(json.dumps(dict(zip(_COLUMNS, row, strict=True))) + "\n" for row in rows)
