"""Sail and Spark, each in a process of its own, asked the same questions.

`python -m tests.python.sql.engines sail` reads a JSON list of what follows `select` from its input and prints
the answers: type and value of each column, or `error`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlglot
from sqlglot import exp

from tests.python import PROJECT

# Expressions in one statement.
_AT_ONCE = 24


def ask(engine: str, expressions: Sequence[str]) -> dict[str, str]:
    """Answers of `engine`, "sail" or "spark", by expression.

    Raises:
        AssertionError: the engine did not start.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, engine],
        input=json.dumps(list(expressions)),
        env=_environment(engine),
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _environment(engine: str) -> dict[str, str]:
    # Its presence alone turns full PySpark into a client of Spark Connect, which Sail is asked by.
    others = {name: value for name, value in os.environ.items() if name != "SPARK_CONNECT_MODE_ENABLED"}
    mode = {"SPARK_CONNECT_MODE_ENABLED": "1"} if engine == "sail" else {}
    return {**others, **mode, "TZ": "UTC"}


@contextmanager
def _sail() -> Iterator[Any]:
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer
    from pyspark.sql.connect.session import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://{host}:{port}").create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    yield session


@contextmanager
def _spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
    }
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    yield session
    session.stop()


def _answer(session: Any, expression: str) -> str:
    try:
        frame = session.sql(f"select {expression}")
        types = ", ".join(field.dataType.simpleString() for field in frame.schema.fields)
        rows = [list(row) for row in frame.collect()]
    except Exception:
        return "error"
    # One value is written as one, without the brackets of rows and columns.
    return f"{types}: {rows[0][0]!r}" if len(rows) == 1 and len(rows[0]) == 1 else f"{types}: {rows!r}"


def _answers(session: Any, expressions: Sequence[str]) -> dict[str, str]:
    """Answers to expressions of one value each in one statement, or in halves where one is an error."""
    if len(expressions) == 1:
        return {expressions[0]: _answer(session, expressions[0])}
    try:
        frame = session.sql(f"select {', '.join(f'{e} as c{n}' for n, e in enumerate(expressions))}")
        ((*values,),) = frame.collect()
        types = [field.dataType.simpleString() for field in frame.schema.fields]
        return {e: f"{t}: {v!r}" for e, t, v in zip(expressions, types, values, strict=True)}
    except Exception:
        middle = len(expressions) // 2
        return _answers(session, expressions[:middle]) | _answers(session, expressions[middle:])


def _is_one_value(expression: str) -> bool:
    try:
        (column,) = sqlglot.parse_one(f"select {expression}", dialect="spark").selects
    except (ValueError, sqlglot.errors.SqlglotError):
        return False
    return not column.alias and not column.find_ancestor(exp.Select).args.get("from_")


def main() -> None:
    """Answer what stands in the input."""
    asked = json.load(sys.stdin)
    single = [expression for expression in asked if _is_one_value(expression)]
    with _sail() if sys.argv[1] == "sail" else _spark() as session:
        answers = {
            expression: _answer(session, expression) for expression in asked if expression not in single
        }
        for start in range(0, len(single), _AT_ONCE):
            answers |= _answers(session, single[start : start + _AT_ONCE])
    print(json.dumps(answers), flush=True)
    # Sail's threads do not let the process end.
    os._exit(0)


if __name__ == "__main__":
    main()
