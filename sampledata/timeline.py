"""The days on which things happen: three years of history, then one week per delivery."""

from datetime import UTC, datetime

import numpy as np

from sampledata.sampling import DateArray, FloatArray

FIRST_ORDER_DAY = np.datetime64("2022-01-01")
DAYS_OF_HISTORY = 1096
DAYS_PER_DELIVERY = 7


def first_day(delivery: int) -> np.datetime64:
    """Return the first day that a delivery covers; those of the next begin where it ends."""
    if delivery == 1:
        return FIRST_ORDER_DAY
    return FIRST_ORDER_DAY + DAYS_OF_HISTORY + DAYS_PER_DELIVERY * (delivery - 2)


def midnight(day: np.datetime64) -> datetime:
    """Return the time at which a day begins (UTC)."""
    return datetime.fromisoformat(str(day.astype("datetime64[s]"))).replace(tzinfo=UTC)


def days_of(delivery: int, places: FloatArray, growth_per_day: float) -> DateArray:
    """Return the days of orders, given by their place among all, from 0 to below 1.

    A growing, seasonal number of orders a day in the history, an even one later.
    """
    days = DAYS_OF_HISTORY if delivery == 1 else DAYS_PER_DELIVERY
    day = np.arange(days)
    weights = np.ones(days)
    if delivery == 1:
        season = 1 + 0.25 * np.cos((day / 365.25 - 0.45) * 2 * np.pi)
        weights = season * growth_per_day**day
    until = np.cumsum(weights) / weights.sum()
    return first_day(delivery) + np.searchsorted(until, places, side="right")


def seconds_of_week(delivery: int) -> range:
    """Return the epoch seconds of the last week that a delivery covers."""
    end = int(first_day(delivery + 1).astype("datetime64[s]").astype(np.int64))
    return range(end - DAYS_PER_DELIVERY * 24 * 3600, end)
