"""A lakehouse of generated files, loaded and built by the command line as a user would."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow as pa
import pytest
from dbt.adapters.lakehouse import delta
from dbt.adapters.lakehouse.folders import Folders
from deltalake import DeltaTable

from ingestion.bronze.load_log import LOADS_SCHEMA, QUARANTINE_SCHEMA
from ingestion.bronze.values import arrow_type
from lakehouse.alerts.state import ALERTS_SCHEMA
from lakehouse.cli import main
from lakehouse.reading.query import read
from lakehouse.steps.extract import EXTRACTS_SCHEMA
from lakehouse.warehouse import Warehouse
from sampledata import generate
from tests.python import PROJECT, hear_ctrl_c

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Rows of tables by `schema.table`, sorted by all columns.
Contents = dict[str, pa.Table]

BIN = Path(sys.executable).parent
# Large enough for customers who are removed for good and customers who return.
SCALE = 0.25
# They test models, not data: `built` runs them, and once is enough.
_NO_UNIT_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
# For tables that are compared with others, which were tested.
NO_DATA_TESTS = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test"}

# Of tables of rows as nobody wants them.
DAYS = 420
FIRST = date(2025, 1, 1)
NAMES = (
    'O\'Brien "the" \\ `tick`',
    "<script>alert(1)</script>",
    "مرحبا بالعالم",
    "long " * 40,
    "{{ ref('fct_sales') }} -- ; drop",
)
_BUILDS = (
    dict.fromkeys(("invocation_id", "command"), "string")
    | dict.fromkeys(("started_at", "finished_at"), "timestamp")
    | dict.fromkeys(("models_ok", "models_failed", "tests_passed", "tests_failed", "tests_warned"), "bigint")
)
_FAILED_ROWS = dict.fromkeys(("invocation_id", "severity", "test_name", "message"), "string") | {
    "failures": "bigint",
    "failed_at": "timestamp",
}


@dataclass
class Lakehouse:
    """A home and a landing zone, and commands on them, with `settings`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    # Fewer sources make tests of what all have in common faster.
    sources: tuple[str, ...] = ()
    scale: float = SCALE
    deliveries: dict[int, list[Path]] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def warehouse(self) -> Warehouse:
        """The tables of the home; not those of bronze where it is elsewhere."""
        return Warehouse(self.home / "warehouse")

    @property
    def environment(self) -> dict[str, str]:
        places = {"LAKEHOUSE_HOME": str(self.home), "LAKEHOUSE_LANDING": str(self.landing)}
        # Where `lakehouse` puts them, too: plain dbt need not read the whole project again.
        dbt = {"DBT_TARGET_PATH": str(self.home / "target"), "DBT_LOG_PATH": str(self.home / "logs")}
        path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        return os.environ | places | dbt | _NO_UNIT_TESTS | self.settings | path

    def table(self, name: str) -> Path:
        """Folder of `schema.table`."""
        return Path(self.warehouse.folders.location(*name.split(".")))

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Begin a command in a process of its own."""
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=hear_ctrl_c,
        )

    def run_apart(self, *command: str, exit_code: int = 0) -> str:
        """Run a command in a process of its own; what it printed."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=1800)
        assert process.returncode == exit_code, output
        return output

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """Run `lakehouse` in this process, where nothing has to start; what it printed."""
        output = io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environment),
            mock.patch.object(sys, "argv", ["lakehouse", *arguments]),
            contextlib.chdir(PROJECT),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        assert ended.value.code == exit_code, output.getvalue()
        return output.getvalue()

    @property
    def run_arguments(self) -> list[str]:
        """Load and build what comes from the sources of this lakehouse."""
        return ["run", *(f"--source={source}" for source in self.sources)]

    def deliver(self, number: int, without: str = "") -> None:
        """Put the files of a delivery into the landing zone, all or those of the other sources."""
        waiting = self.folder / "waiting"
        if not self.deliveries:
            seen: set[Path] = set()
            for delivery in (1, 2, 3):
                files = generate(waiting, self.scale, sources=self.sources or None, deliveries=delivery)
                self.deliveries[delivery] = [file for file in files if file not in seen]
                seen.update(files)
        for file in self.deliveries[number]:
            path = file.relative_to(waiting)
            if path.parts[0] != without:
                (self.landing / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, self.landing / path)

    @property
    def _places(self) -> list[Path]:
        return [self.home / "warehouse", self.home / "state", self.landing]

    def save(self) -> None:
        """Keep tables, what was built last, and landed files for `go_back`."""
        for place in self._places:
            if place.exists():
                shutil.copytree(place, self.folder / "saved" / place.name)

    def clear(self) -> None:
        """Remove tables and landed files; what dbt knows of the project stays."""
        for place in self._places:
            shutil.rmtree(place, ignore_errors=True)

    def go_back(self) -> None:
        """Have what was saved, with the times of the files."""
        self.clear()
        for place in self._places:
            if (saved := self.folder / "saved" / place.name).exists():
                shutil.copytree(saved, place)

    def delivered(self, number: int, table: str) -> Path:
        """The file of a table that a delivery brought."""
        (file,) = (file for file in self.deliveries[number] if file.name.startswith(table))
        return file

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return read(self.warehouse, sql).rows

    def value(self, sql: str) -> object:
        ((value,),) = self.rows(sql)
        return value

    def contents(self, *schemas: str, without: Sequence[str] = ()) -> Contents:
        """Rows of all tables in the schemas, without columns that tell when a run was, and some others."""
        tables = self.warehouse.tables()
        names = [name for name in tables if name.split(".")[0] in schemas]
        return {name: _lasting_values(tables[name], without) for name in names}

    def everything(self, without: Sequence[str] = ()) -> Contents:
        """Contents of all layers, and what the load log and the quarantine say of them."""
        layers = ("bronze", "snapshots", "silver", "gold")
        return self.contents(*layers, without=without) | {
            "ops.loads": _sorted(self._columns("ops.loads", "source", "table_name", "status", "rows_loaded")),
            "ops.quarantine": _sorted(
                self._columns("ops.quarantine", "source", "table_name", "reason", "record")
            ),
        }

    def _columns(self, name: str, *columns: str) -> pa.Table:
        return DeltaTable(self.table(name)).to_pyarrow_table(columns=list(columns))


def _lasting_values(location: str, without: Sequence[str]) -> pa.Table:
    table = DeltaTable(location).to_pyarrow_table()
    names = [name for name in table.column_names if name not in without and not _tells_when(name)]
    return _sorted(table.select(names))


def _tells_when(column: str) -> bool:
    return column.startswith(("_", "dbt_", "processing_time")) or column.endswith("updated_at")


def _sorted(table: pa.Table) -> pa.Table:
    # What the schema says besides names and types differs with who wrote it.
    plain = table.replace_schema_metadata().cast(pa.schema([(f.name, f.type) for f in table.schema]))
    return plain.sort_by([(name, "ascending") for name in sorted(plain.column_names)]).combine_chunks()


def differing(contents: Contents, expected: Contents) -> list[str]:
    """Names of the tables that are not in both, or whose rows differ."""
    names = sorted(contents.keys() | expected.keys())
    return [name for name in names if contents.get(name) != expected.get(name)]


def copy_project(copy: Path) -> Path:
    """A copy of what dbt reads of the project."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if not name.startswith("tests/python") and (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, copy / name)
    return copy


def write_table(warehouse: Path, name: str, table: pa.Table) -> None:
    """Make `schema.table`."""
    delta.overwrite(Folders(warehouse).location(*name.split(".")), table)


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
    output = lakehouse.run("run")
    assert "0 failed" in output
    lakehouse.settings["DBT_EXCLUDE_RESOURCE_TYPES"] = ""
    assert " ERROR=0 " in lakehouse.run_apart("dbt", "test", "--select", "test_type:unit")
    del lakehouse.settings["DBT_EXCLUDE_RESOURCE_TYPES"]
    yield lakehouse


@dataclass(frozen=True)
class Update:
    """A second run: what it printed, and the profits of orders before it."""

    output: str
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
    output = built.run("run")
    assert "0 failed" in output
    return Update(output, orders_before)


def orders(lakehouse: Lakehouse) -> list[tuple[object, ...]]:
    """Rows and profits of the order lines in gold, sorted."""
    return sorted(lakehouse.rows("select row_id, profit from gold.fct_orders"))


@pytest.fixture(scope="session")
def home(project: "Manifest", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tables of gold, those of the gyms, and the logs, each with a row a day."""
    home = tmp_path_factory.mktemp("odd")
    for node in project.nodes.values():
        if node.resource_type == "model" and (
            node.schema == "gold" or node.name in ("gym_visits", "workout_bpm")
        ):
            columns = {name: column.data_type for name, column in node.columns.items()}
            write_table(home / "warehouse", f"{node.schema}.{node.name}", _odd_table(columns))
    for name, columns in {"builds": _BUILDS, "failed_rows": _FAILED_ROWS}.items():
        write_table(home / "warehouse", f"ops.{name}", _odd_table(columns))
    for name, schema in {
        "loads": LOADS_SCHEMA,
        "quarantine": QUARANTINE_SCHEMA,
        "alerts": ALERTS_SCHEMA,
        "extracts": EXTRACTS_SCHEMA,
    }.items():
        arrays = [pa.array(_values(field.name, _kind(field.type)), field.type) for field in schema]
        write_table(home / "warehouse", f"ops.{name}", pa.table(arrays, schema=schema))
    return home


def _odd_table(columns: dict[str, str]) -> pa.Table:
    arrays = {}
    for name, kind in columns.items():
        if kind.startswith("decimal"):
            precision, scale = map(int, kind[8:-1].split(","))
            arrays[name] = pa.array(_numbers(precision, scale), arrow_type(kind))
        else:
            arrays[name] = pa.array(_values(name, kind), arrow_type(kind))
    return pa.table(arrays)


def _kind(type_: pa.DataType) -> str:
    kinds = {pa.string(): "string", pa.int64(): "bigint", pa.float64(): "double", pa.date32(): "date"}
    return kinds.get(type_, "timestamp")


def _values(name: str, kind: str) -> list[Any]:
    if kind in ("date", "timestamp"):
        days = [FIRST + timedelta(days=number) for number in range(DAYS)]
        times = [datetime(day.year, day.month, day.day, 10, tzinfo=UTC) for day in days]
        return days if kind == "date" else [None] * DAYS if name == "cleared_at" else times
    if kind == "string":
        fixed = {"status": "loaded", "command": "build", "invocation_id": "one", "check_name": "revenue"}
        # Keys differ; others are the names that nobody wants.
        return [fixed.get(name, NAMES[number % len(NAMES)]) for number in range(DAYS)]
    if name == "drop_explained":
        return [False] * DAYS
    if kind == "boolean":
        return list(islice(cycle([True, True, False]), DAYS))
    if kind == "double":
        return list(islice(cycle([0.25, -1.5, None, 1e12]), DAYS))
    return list(islice(cycle([1, 2, 3, 4, 5]), DAYS))


def _numbers(precision: int, scale: int) -> list[Decimal | None]:
    highest = Decimal(10) ** 12 if precision - scale > 12 else Decimal(10) ** (precision - scale - 1)
    wanted = (Decimal("1234.56"), Decimal("-20.5"), None, Decimal(0), highest, Decimal("0.01"))
    step = Decimal(1).scaleb(-scale)
    return [value if value is None else value.quantize(step) for value in islice(cycle(wanted), DAYS)]
