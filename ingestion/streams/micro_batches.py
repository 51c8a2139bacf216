"""Streams that are read in batches until nothing is new, and what their checkpoints say about a batch."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from py4j.clientserver import ClientServer
from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

_CHECKPOINT_FILES = (
    "metadata",
    "offsets/[0-9]*",
    "commits/[0-9]*",
    "state/*/*/*.delta",
    "state/*/*/*.snapshot",
)


@dataclass(frozen=True)
class MicroBatch:
    """New rows of a stream; with `may_be_written`, a run that was killed may have written them."""

    rows: DataFrame
    stream: str
    number: int
    may_be_written: bool

    @property
    def id(self) -> str:
        """The same when the batch is read again."""
        return f"{self.stream}-{self.number}"


def read_new(stream: DataFrame, checkpoint: Path, write: Callable[[MicroBatch], None]) -> StreamingQuery:
    """Read what is new in a stream, each batch once; returns the query, which has ended.

    The checkpoint tells what is new. When `write` fails or is killed, the next call reads the batch again.

    Raises:
        Exception: what `write` raised, or else what ended the stream.
    """
    forget_cut_off(checkpoint)
    failure: Exception | None = None
    unfinished = _has_unfinished_batch(checkpoint)
    callback = _Callback(stream.sparkSession)

    def write_batch(rows: DataFrame, number: int) -> None:
        nonlocal failure, unfinished
        name = rows.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId")
        callback.begin()
        try:
            if name is None:
                raise RuntimeError("Spark did not tell the id of the stream")
            write(MicroBatch(rows, name, number, unfinished))
        except Exception as error:
            failure = error
            raise
        unfinished = False

    query = (
        stream.writeStream.foreachBatch(write_batch)
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    try:
        query.awaitTermination()
    except Exception as error:
        callback.close()
        raise failure or error from None
    callback.close()
    return query


class _Callback:
    """The connection by which a stream's thread in the JVM calls Python.

    Python keeps a thread for it, and the JVM a socket, until it is closed: they do not see that the stream's
    thread has ended.
    """

    def __init__(self, spark: SparkSession) -> None:
        gateway = spark.sparkContext._gateway
        self._server: JavaObject | None = None
        # Where threads of Python and of the JVM do not belong together, connections are shared.
        if isinstance(gateway, ClientServer):
            self._server = JavaObject("GATEWAY_SERVER", gateway._gateway_client)
        self._connection: JavaObject | None = None

    def begin(self) -> None:
        """Note the connection of the thread that calls."""
        if self._server:
            self._connection = self._server.getCallbackClient().getPerThreadConnection()

    def close(self) -> None:
        """Close the connection; the stream has ended, and the JVM perhaps, too."""
        if self._connection and self._server:
            with suppress(Py4JError, OSError):
                self._server.getCallbackClient().connectionStopped(self._connection)
                self._connection.shutdown()


def forget_cut_off(checkpoint: Path) -> None:
    """Remove a checkpoint in which a power cut left empty files: all is read again."""
    files = (file for kind in _CHECKPOINT_FILES for file in checkpoint.glob(kind))
    if any(file.is_file() and not file.stat().st_size for file in files):
        shutil.rmtree(checkpoint)


def _has_unfinished_batch(checkpoint: Path) -> bool:
    """Whether the newest batch of a checkpoint was begun and its end not noted."""
    begun, ended = (
        {int(file.name) for file in (checkpoint / kind).glob("*") if file.name.isdigit()}
        for kind in ("offsets", "commits")
    )
    return bool(begun) and max(begun) not in ended
