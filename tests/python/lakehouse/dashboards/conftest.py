"""A dashboard over tables of rows as nobody wants them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from ingestion.bronze.load_log import LOADS_SCHEMA, QUARANTINE_SCHEMA
from ingestion.bronze.values import arrow_type
from lakehouse.alerts.state import ALERTS_SCHEMA
from lakehouse.dashboards.pages import Dashboard
from lakehouse.settings import load_settings
from tests.python import PROJECT

from ..conftest import write_table

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

STREAMED = ("gym_visits", "workout_bpm")
DAYS = 420
FIRST = date(2025, 1, 1)
NAMES = (
    'O\'Brien "the" \\ `tick`',
    "<script>alert(1)</script>",
    "مرحبا بالعالم",
    "long " * 40,
    "{{ ref('fct_sales') }} -- ; drop",
)
BUILDS = {"invocation_id": "string", "command": "string", "finished_at": "timestamp"} | dict.fromkeys(
    ("models_ok", "models_failed", "tests_passed", "tests_failed", "tests_warned"), "bigint"
)
FAILED_ROWS = {"invocation_id": "string", "severity": "string", "message": "string", "failed_at": "timestamp"}


@pytest.fixture(scope="session")
def home(project: "Manifest", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tables of gold, those of the gyms, and the logs, each with a row a day."""
    home = tmp_path_factory.mktemp("dashboard")
    for node in project.nodes.values():
        if node.resource_type == "model" and (
            node.schema == "gold" or node.name in ("gym_visits", "workout_bpm")
        ):
            columns = {name: column.data_type for name, column in node.columns.items()}
            write_table(home / "warehouse", f"{node.schema}.{node.name}", _table(columns))
    for name, columns in {"builds": BUILDS, "failed_rows": FAILED_ROWS}.items():
        write_table(home / "warehouse", f"ops.{name}", _table(columns))
    for name, schema in {
        "loads": LOADS_SCHEMA,
        "quarantine": QUARANTINE_SCHEMA,
        "alerts": ALERTS_SCHEMA,
    }.items():
        arrays = [pa.array(_values(field.name, _kind(field.type)), field.type) for field in schema]
        write_table(home / "warehouse", f"ops.{name}", pa.table(arrays, schema=schema))
    return home


@pytest.fixture(scope="session")
def dashboard(home: Path, project: "Manifest") -> Dashboard:
    return make_dashboard(home, project)


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Path]:
    """A project whose pages may be spoilt."""
    for folder in ("dashboards", "analyses"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    for file in ("dbt_project.yml", "alerts.yml"):
        shutil.copyfile(PROJECT / file, tmp_path / file)
    yield tmp_path


def make_dashboard(home: Path, project: "Manifest", folder: Path = PROJECT) -> Dashboard:
    settings = load_settings(LAKEHOUSE_HOME=str(home), LAKEHOUSE_PROJECT=str(folder))
    return Dashboard(settings, project)


def _table(columns: dict[str, str]) -> pa.Table:
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
