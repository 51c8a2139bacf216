"""A lakehouse of generated files, built by the command line as a user would."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.dataset
import pytest

from ingestion.generator import generate
from lakehouse.query import Rows, read
from lakehouse.settings import PROJECT
from lakehouse.warehouse import Warehouse

# Sorted rows of tables by `schema.table`.
Contents = dict[str, list[tuple[object, ...]]]

BIN = Path(sys.executable).parent
# Large enough for customers who are removed for good and customers who return.
SCALE = 0.25
# They test models, not data: `built` runs them, and once is enough.
_NO_UNIT_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
# For tables that are compared with others, which were tested.
NO_DATA_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test"}


@dataclass
class Lakehouse:
    """A home and a landing zone; `run` starts commands in processes of their own, with `settings`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    # Fewer sources make tests of what all have in common faster.
    sources: tuple[str, ...] = ()
    deliveries: dict[int, list[Path]] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home / "warehouse", self.settings.get("LAKEHOUSE_BRONZE"))

    @property
    def environment(self) -> dict[str, str]:
        places = {"LAKEHOUSE_HOME": str(self.home), "LAKEHOUSE_LANDING": str(self.landing)}
        return (
            os.environ
            | places
            | _NO_UNIT_TESTS
            | self.settings
            | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        )

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, exit_code: int = 0) -> str:
        process = self.start(*command)
        output, _ = process.communicate(timeout=1800)
        assert process.returncode == exit_code, output
        return output

    @property
    def run_command(self) -> list[str]:
        """Load and build what comes from the sources of this lakehouse."""
        return ["lakehouse", "run", *(f"--source={source}" for source in self.sources)]

    def deliver(self, number: int, without: str = "") -> None:
        """Put the files of a delivery into the landing zone, all or those of the other sources."""
        waiting = self.folder / "waiting"
        if not self.deliveries:
            seen: set[Path] = set()
            for delivery in (1, 2, 3):
                files = generate(waiting, SCALE, sources=self.sources or None, deliveries=delivery)
                self.deliveries[delivery] = [file for file in files if file not in seen]
                seen.update(files)
        for file in self.deliveries[number]:
            path = file.relative_to(waiting)
            if path.parts[0] != without:
                (self.landing / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, self.landing / path)

    def delivered(self, number: int, table: str) -> Path:
        """The file of a table that a delivery brought."""
        (file,) = (file for file in self.deliveries[number] if file.name.startswith(table))
        return file

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return read(self.warehouse, sql).rows

    def value(self, sql: str) -> object:
        ((value,),) = self.rows(sql)
        return value

    def contents(self, *schemas: str) -> Contents:
        """Rows of all tables in the schemas, without columns that tell when a run was."""
        names = [name for name in self.warehouse.tables() if name.split(".")[0] in schemas]
        return {name: _lasting_values(read(self.warehouse, f"select * from {name}")) for name in names}

    def contents_on_sail(self) -> Contents:
        """As `contents`, of all tables that the last build on Sail made."""
        return {name: _lasting_values(table) for name, table in self.tables_on_sail().items()}

    def tables_on_sail(self) -> dict[str, Rows]:
        """All tables that the last build on Sail made, by `schema.table`."""
        folders = (self.home / "sail").glob("*.db/*")
        return {f"{folder.parent.stem}.{folder.name}": _read_files(folder) for folder in folders}


def _read_files(folder: Path) -> Rows:
    table = pyarrow.dataset.dataset(folder).to_table()
    return Rows(table.column_names, [tuple(map(_without_zone, row.values())) for row in table.to_pylist()])


def _without_zone(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _lasting_values(table: Rows) -> list[tuple[object, ...]]:
    lasting = [place for place, column in enumerate(table.columns) if not _tells_when(column)]
    return sorted((tuple(row[place] for place in lasting) for row in table.rows), key=repr)


def _tells_when(column: str) -> bool:
    return column.startswith(("_", "dbt_", "processing_time")) or column.endswith("updated_at")


def order_lines(lakehouse: Lakehouse, name: str) -> list[dict[str, object]]:
    """The order lines of a file of the storefront as they were sent."""
    text = (lakehouse.landing / "storefront" / name).read_text()
    lines: list[dict[str, object]] = json.loads(text, parse_float=Decimal)
    return lines


def to_cents(profit: object) -> Decimal:
    """A profit of an order line, rounded as commerce does."""
    return Decimal(str(profit)).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    """The first delivery, loaded and built; only the tests that come last change it."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("built"))
    lakehouse.deliver(1)
    lakehouse.settings["DBT_EXCLUDE_RESOURCE_TYPES"] = ""
    output = lakehouse.run("lakehouse", "run")
    assert "0 failed" in output
    del lakehouse.settings["DBT_EXCLUDE_RESOURCE_TYPES"]
    yield lakehouse


@dataclass(frozen=True)
class Update:
    """A second run: what it printed, the models it built, and the profits of orders before it."""

    output: str
    models: set[str]
    orders_before: list[tuple[object, ...]]


@pytest.fixture(scope="session")
def updated(built: Lakehouse) -> Update:
    """Brings two more deliveries of all sources but gyms to `built`, with the same rows in other files."""
    orders_before = orders(built)
    for number in (2, 3):
        built.deliver(number, without="gym")
    for table in ("cust_info", "sales_details"):
        file = built.delivered(3, table)
        shutil.copy(file, built.landing / "crm" / f"{table}_copy.csv")
        header, *lines = file.read_bytes().splitlines(keepends=True)
        resorted = built.landing / "crm" / f"{table}_resorted.csv"
        resorted.write_bytes(b"".join([header, *reversed(lines)]))
    output = built.run("lakehouse", "run")
    assert "0 failed" in output
    results = json.loads((built.home / "target" / "run_results.json").read_text())["results"]
    models = {result["unique_id"] for result in results if result["unique_id"].startswith("model.")}
    return Update(output, models, orders_before)


def orders(lakehouse: Lakehouse) -> list[tuple[object, ...]]:
    """Rows and profits of the order lines in gold, sorted."""
    return sorted(lakehouse.rows("select row_id, profit from gold.fct_orders"))
