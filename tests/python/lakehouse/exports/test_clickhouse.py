"""The views of ClickHouse show what gold holds."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from tests.python.lakehouse.conftest import Lakehouse

# In a process of its own, which hears signals in its own way.
_CLICKHOUSE = """
import sys
from chdb.session import Session
session = Session()
for statement in sys.stdin.read().split(";\\n"):
    print(session.query(statement), end="")
"""


def test_views_have_rows_and_totals_of_gold(built: Lakehouse, tmp_path: Path) -> None:
    assert "1 files" in built.run("export", "clickhouse", "--out", str(tmp_path))
    views = (tmp_path / "clickhouse.sql").read_text().removesuffix(";\n")
    locations = {name: at for name, at in built.warehouse.tables().items() if name.startswith("gold.")}
    assert len(locations) > 25
    totals = [_totals(table, location) for table, location in locations.items()]
    asked = subprocess.run(
        [sys.executable, "-c", _CLICKHOUSE],
        input=";\n".join([views, *totals]),
        # ClickHouse opens folders below the working directory alone.
        cwd=built.home,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(",") for line in asked.stdout.splitlines() if line]
    for sql, line in zip(totals, lines, strict=True):
        expected = [float(str(value)) for value in built.rows(sql)[0]]
        assert [float(value) for value in line] == pytest.approx(expected, rel=1e-12, abs=1e-6), sql


def _totals(table: str, location: str) -> str:
    """Rows of a table, values of each column, and the sum of each column of numbers."""
    schema = DeltaTable(location).to_pyarrow_dataset().schema
    values = [f"count({name})" for name in schema.names]
    sums = [f"coalesce(sum({field.name}), 0)" for field in schema if _is_number(field.type)]
    return f"select {', '.join(['count(*)', *values, *sums])} from {table}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind))
