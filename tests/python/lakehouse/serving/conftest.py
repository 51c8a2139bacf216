"""A server over a few tables, and clients of it."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
import uvicorn
from pydantic import SecretStr
from pyhive import hive

from lakehouse.serving.protocol import Service
from lakehouse.serving.server import make_app
from lakehouse.warehouse import Warehouse
from lakehouse.web import listen

from ..conftest import write_table

PASSWORD = "secret-word"
NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, UTC)
SALES = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "amount": pa.array([Decimal("12.50"), None, Decimal("-0.01")], pa.decimal128(18, 2)),
        "sold_on": pa.array([date(2026, 1, 31), None, date(1970, 1, 1)]),
        "sold_at": pa.array([NOON, None, NOON], pa.timestamp("us", "UTC")),
        "is_late": pa.array([True, None, False]),
        "pieces": pa.array([1, None, 3], pa.int32()),
        "rate": pa.array([0.5, None, 2.0]),
        "name": pa.array(["O'Brien", None, "Zoë \\ ;"]),
        "tags": pa.array([["a", "b"], None, []], pa.list_(pa.string())),
    },
    schema=None,
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("home") / "warehouse"
    write_table(root, "gold.fct_sales", SALES)
    write_table(root, "silver.many", pa.table({"n": pa.array(range(25_000), pa.int32())}))
    return Warehouse(root)


@pytest.fixture(scope="module")
def port(warehouse: Warehouse) -> Iterator[int]:
    app = make_app(Service(warehouse), SecretStr(PASSWORD))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    listening = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def connect(port: int) -> Iterator[Callable[..., hive.Connection]]:
    made: list[hive.Connection] = []

    def connect(database: str = "gold", password: str = PASSWORD) -> hive.Connection:
        connection = hive.connect("127.0.0.1", port, "http", "me", database, "BASIC", password=password)
        made.append(connection)
        return connection

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def ask(connect: Callable[..., hive.Connection]) -> Callable[[str], list[tuple[object, ...]]]:
    """The rows of a statement."""
    cursor = connect().cursor()

    def ask(statement: str) -> list[tuple[object, ...]]:
        cursor.execute(statement)
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows

    return ask
