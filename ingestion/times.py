"""Moments as the machines exchange them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def later_than(last: datetime | None) -> datetime:
    """Now, or a microsecond after `last` where the machine's clock does not say that it is later."""
    now = datetime.now(UTC)
    return now if last is None else max(now, last + timedelta(microseconds=1))


def from_epoch_micros(micros: int) -> datetime:
    """UTC time of microseconds since 1970."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def from_epoch_millis(millis: int) -> datetime:
    """UTC time of milliseconds since 1970, the resolution in which Spark sees file times."""
    return from_epoch_micros(millis * 1000)


def to_epoch_micros(time: datetime) -> int:
    """Microseconds since 1970 of a time with a zone."""
    return (time - EPOCH) // timedelta(microseconds=1)
