"""Whether the newest day of a series is what its weekday usually brings.

Each day is divided by the median of its weekday, so that all days tell of one spread: eight values of a
weekday alone would tell it badly. Medians do not mind a few days of promotions, and the day that is judged
is not among those it is compared with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import exp, log
from statistics import median
from typing import Literal

from lakehouse.alerts.declared import Thresholds

# By which the median of distances is multiplied to be a standard deviation of normal values.
OF_NORMAL = 1.4826


@dataclass(frozen=True)
class Verdict:
    """What a day brought, what was expected of it, and from where to where it would be no anomaly."""

    day: date
    value: float
    expected: float
    low: float
    high: float

    @property
    def is_anomaly(self) -> bool:
        """Whether the value is outside."""
        return not self.low <= self.value <= self.high

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """Value, expected, low and high."""
        return self.value, self.expected, self.low, self.high

    def __str__(self) -> str:
        value, expected, low, high = map(_shown, self.figures)
        return f"{value} on {self.day:%A, %Y-%m-%d}, expected {expected} ({low} to {high})"


def judge(
    values: Mapping[date, float], sizes: Mapping[date, float | None], thresholds: Thresholds
) -> Verdict | Literal["learning", "small"]:
    """The newest day of a series against the days before it.

    `learning` where these are too few, `small` where the median of their sizes is too small. A series without
    sizes never is small.
    """
    *before, day = sorted(values)
    history = before[-thresholds.days :]
    if len(history) < thresholds.least_days:
        return "learning"
    known = [size for other in history if (size := sizes[other]) is not None]
    if known and median(known) < thresholds.least_size:
        return "small"
    usual = {
        weekday: median(values[other] for other in history if other.weekday() == weekday)
        for weekday in {other.weekday() for other in history}
    }
    expected = usual.get(day.weekday())
    if expected is None:
        return "learning"
    # On days when a shop is closed it varies not at all.
    ratios = [
        _log(values[other]) - _log(usual[other.weekday()]) for other in history if usual[other.weekday()]
    ]
    spread = max(_spread(ratios), thresholds.least_spread)
    factor = exp(thresholds.spreads * spread)
    return Verdict(
        day,
        values[day],
        expected,
        low=min(expected / factor, expected * (1 - thresholds.least_change)),
        high=max(expected * factor, expected * (1 + thresholds.least_change)),
    )


def _log(value: float) -> float:
    """The logarithm of a value and one, so that nothing has one, too."""
    return log(max(value, 0) + 1)


def _spread(ratios: list[float]) -> float:
    if not ratios:
        return 0
    middle = median(ratios)
    return OF_NORMAL * median(abs(ratio - middle) for ratio in ratios)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:,.2f}"
