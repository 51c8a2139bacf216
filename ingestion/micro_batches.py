"""Streams that are read in batches until nothing is new, and what their checkpoints say about a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery


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
    failure: Exception | None = None
    unfinished = _has_unfinished_batch(checkpoint)

    def write_batch(rows: DataFrame, number: int) -> None:
        nonlocal failure, unfinished
        name = rows.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId")
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
        raise failure or error from None
    return query


def _has_unfinished_batch(checkpoint: Path) -> bool:
    """Whether the newest batch of a checkpoint was begun and its end not noted."""
    begun, ended = (
        {int(file.name) for file in (checkpoint / kind).glob("*") if file.name.isdigit()}
        for kind in ("offsets", "commits")
    )
    return bool(begun) and max(begun) not in ended
