"""A landing zone of its own for each table that is tested, and what tests of all packages share."""

import itertools
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import pytest
from dbt.adapters.lakehouse.folders import Folders
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from ingestion import bronze
from ingestion.bronze import LOADS, QUARANTINE, FileLoad
from ingestion.contracts import SourceTable
from ingestion.landing import s3
from ingestion.tables.local import LocalTables
from lakehouse.engines.dbt import read_project
from lakehouse.engines.spark import spark_session
from lakehouse.settings import load_settings
from tools.broker import Broker

from .object_storage import s3_server, s3_variables

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from pyspark.sql import SparkSession

Row = tuple[Any, ...]

_NUMBERS = itertools.count(1)

# Files of tests that take longest: they begin first, so that no process is left with them at the end.
_LONGEST = [
    "test_verify",
    "test_run",
    "test_docs_site",
    "test_open_tables",
    "test_history",
    "test_kills",
    "test_answers",
    "test_on_spark",
    "test_streams",
    "test_object_storage",
    "test_homes",
    "test_gym",
    "test_tables",
]
# Files that share a fixture; those of `built` in this order, as the last ones change it.
_SHARING = {
    "built": [
        "test_run",
        "test_metrics",
        "test_docs_site",
        "test_personal_data",
        "test_open_tables",
        "test_clickhouse",
        "test_history",
    ],
    "home": ["test_pages", "test_aibi"],
    "project": ["test_order", "test_governance", "test_powerbi", "test_metric_views", "test_export"],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the longest files first, and mark those that need Java for a broker."""
    for item in items:
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")
    items.sort(
        key=lambda item: _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST)
    )


class _ByFixture(LoadFileScheduling):
    """A file of tests stays in one process, and so do the files that share what is costly to build."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((name for name, files in _SHARING.items() if Path(file).stem in files), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFixture:
    """Choose how tests are spread over processes."""
    return _ByFixture(config, log)


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """What a command that runs in this process sets is gone after the test."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> "Manifest":
    """The project as dbt sees it."""
    # What it sets for dbt would stay for the tests of other files.
    with mock.patch.dict(os.environ):
        return read_project(load_settings(LAKEHOUSE_HOME=str(tmp_path_factory.mktemp("home"))), "local")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """Spark itself, as the target `spark` starts it; tests that use it bear the marker `spark`."""
    with mock.patch.dict(os.environ, LAKEHOUSE_HOME=str(tmp_path_factory.mktemp("home"))):
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        session = spark_session(load_settings())
    yield session
    session.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka broker."""
    with Broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an S3 server that takes any credentials."""
    with s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new bucket as `s3://name`, reached by this process and its children with the AWS_ variables."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3_variables(s3_endpoint).items():
        monkeypatch.setenv(name, value)
    # The default session remembers the credentials it has once found.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    s3.client.cache_clear()
    name = f"bucket-{next(_NUMBERS)}"
    s3.client().create_bucket(Bucket=name)
    yield f"s3://{name}"
    s3.client.cache_clear()


@pytest.fixture(scope="session")
def contract() -> Callable[..., SourceTable]:
    """Contracts, each under a name of its own, as all tests share a warehouse."""
    return _contract


def _contract(
    columns: str | Mapping[str, str] = "id int, name string",
    keys: Sequence[str] = ("id",),
    path: str = "files/*.csv",
    format: str = "csv",
    delivery: str = "changes",
    headers: Mapping[str, str] | None = None,
    **options: str,
) -> SourceTable:
    if isinstance(columns, str):
        columns = dict(column.split(maxsplit=1) for column in columns.split(", "))
    table = f"t{next(_NUMBERS)}"
    return SourceTable.model_validate(
        {
            "source": "test",
            "name": table,
            "identifier": f"test_{table}",
            "arrives": dict(path=path, format=format, delivery=delivery, keys=list(keys), options=options),
            "columns": [
                dict(
                    name=name,
                    data_type=data_type,
                    description="",
                    config={"meta": {"header": (headers or {}).get(name, name)}},
                )
                for name, data_type in columns.items()
            ],
        }
    )


@dataclass
class Outcome:
    """What became of a file: rows of bronze, rescued values, records in the quarantine."""

    status: str
    reason: str | None
    rows: list[Row]
    rescued: list[str]
    quarantined: list[str]


@pytest.fixture(scope="session")
def statistics() -> Callable[[Path], set[str]]:
    """Columns by which files of a Delta table, given its folder, can be left out."""
    return _statistics


def _statistics(folder: Path) -> set[str]:
    lines = (line for file in folder.glob("_delta_log/*.json") for line in file.read_text().splitlines())
    files = (entry["add"] for entry in map(json.loads, lines) if "add" in entry)
    return {column for file in files for column in json.loads(file["stats"])["minValues"]}


class Landing:
    """A landing zone with the files of one table, and what the loader made of them."""

    def __init__(self, folder: Path, table: SourceTable) -> None:
        self.table = table
        self.zone = folder / "landing"
        self.root = folder / "warehouse"
        self.tables = LocalTables(Folders(self.root))
        self.folder = self.zone / Path(table.arrives.path).parent
        self.folder.mkdir(parents=True)

    @property
    def bronze(self) -> Path:
        """The folder of the bronze table."""
        return Path(self.tables.location(self.table.bronze))

    def deliver(self, name: str, content: str | bytes, days_ago: float = 0) -> Path:
        """Write a file as it would arrive, or overwrite it."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        if days_ago:
            modified = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
            os.utime(file, (modified, modified))
        return file

    def load(self) -> dict[str, FileLoad]:
        """Load what is new; returns the files that were handled, by name."""
        loads = bronze.load(self.tables, [self.table], str(self.zone))
        return {self._name(load.path): load for load in loads}

    def statuses(self) -> dict[str, str]:
        """Load what is new; returns the status by name."""
        return {name: load.status for name, load in self.load().items()}

    def outcomes(self) -> dict[str, Outcome]:
        """Load what is new; returns everything about it by name. The counts in the load log are checked."""
        loads = self.load()
        rows = self._by_file(self.rows(f"_source_file, {self._columns}"))
        rescued = self._by_file(self.rows("_source_file, _rescued_data", "_rescued_data is not null"))
        records = self._by_file(self.quarantine("_source_file, record", "record is not null"))
        for name, load in loads.items():
            counted = (len(rows[name]), len(rescued[name]), len(records[name]))
            assert (load.rows_loaded, load.rows_rescued, load.rows_quarantined) == counted, name
        return {
            name: Outcome(
                load.status,
                load.reason,
                rows[name],
                [text for (text,) in rescued[name]],
                [text for (text,) in records[name]],
            )
            for name, load in loads.items()
        }

    def rows(self, columns: str | None = None, where: str = "true") -> list[Row]:
        """Rows in bronze, sorted: the contract's columns, or those asked for."""
        return self._select(self.table.bronze, columns or self._columns, where)

    def quarantine(self, columns: str = "reason, record", where: str = "true") -> list[Row]:
        """Rows in the quarantine, sorted."""
        return self._select(QUARANTINE, columns, f"table_name = '{self.table.name}' and {where}")

    def recorded(self, columns: str = "status") -> list[Row]:
        """Rows in the load log, sorted."""
        return self._select(LOADS, columns, f"table_name = '{self.table.name}'")

    @property
    def _columns(self) -> str:
        return ", ".join(f'"{column.name}"' for column in self.table.columns)

    def _select(self, table: str, columns: str, where: str) -> list[Row]:
        rows = self.tables.select(table, f"select {columns} from {{t}} where {where}").to_pylist()
        return sorted((tuple(row.values()) for row in rows), key=repr)

    def _by_file(self, rows: list[Row]) -> dict[str, list[Row]]:
        by_file: dict[str, list[Row]] = defaultdict(list)
        for path, *values in rows:
            by_file[self._name(path)].append(tuple(values))
        return by_file

    def _name(self, path: str) -> str:
        return Path(path).relative_to(self.folder).as_posix()


@pytest.fixture(scope="session")
def landing(
    tmp_path_factory: pytest.TempPathFactory, contract: Callable[..., SourceTable]
) -> Callable[..., Landing]:
    """Landing zones, each for a table made of the arguments of `contract`."""
    return lambda **settings: Landing(tmp_path_factory.mktemp("zone"), contract(**settings))
