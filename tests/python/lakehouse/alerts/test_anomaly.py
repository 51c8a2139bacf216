"""When a day is an anomaly, and when it cannot be told."""

from datetime import date, timedelta

import pytest

from benchmarks.alerts import measure, thresholds
from lakehouse.alerts.anomaly import Verdict, judge

MONDAY = date(2026, 6, 1)


def verdict(*values: float, size: float | None = None) -> object:
    """What is said of the last of the values of days that begin on a Monday."""
    days = [MONDAY + timedelta(number) for number in range(len(values))]
    return judge(dict(zip(days, values, strict=True)), dict.fromkeys(days, size), thresholds())


def is_anomaly(*values: float) -> bool:
    found = verdict(*values)
    assert isinstance(found, Verdict)
    return found.is_anomaly


WEEK = (100, 110, 105, 120, 200, 300, 0)


def test_each_weekday_is_compared_with_itself() -> None:
    assert not is_anomaly(*WEEK * 8, 100)
    # As much as on a Friday.
    assert is_anomaly(*WEEK * 8, 200)
    assert is_anomaly(*WEEK * 8, 60)


def test_a_day_on_which_nothing_is_expected() -> None:
    assert not is_anomaly(*WEEK * 8, *WEEK[:6], 0)
    assert is_anomaly(*WEEK * 8, *WEEK[:6], 90)


def test_a_change_below_the_least_is_none() -> None:
    assert not is_anomaly(*[1000] * 56, 1299)
    assert is_anomaly(*[1000] * 56, 1301)
    assert not is_anomaly(*[1000] * 56, 701)
    assert is_anomaly(*[1000] * 56, 699)


def test_the_day_is_not_in_its_own_expectation_and_a_promotion_moves_it_little() -> None:
    quiet = verdict(*[1000] * 56, 1_000_000)
    promoted = verdict(*[1000] * 20, 9000, *[1000] * 35, 1_000_000)
    assert isinstance(quiet, Verdict) and isinstance(promoted, Verdict)
    assert quiet.expected == promoted.expected == 1000
    assert quiet.high == promoted.high


def test_until_there_are_28_days_a_series_is_learned() -> None:
    assert verdict(*[1000] * 28) == "learning"
    assert isinstance(verdict(*[1000] * 29), Verdict)


def test_a_weekday_that_never_was_is_learned() -> None:
    values = {MONDAY + timedelta(weeks=week): 10.0 for week in range(40)}
    values[max(values) + timedelta(1)] = 1
    assert judge(values, dict.fromkeys(values), thresholds()) == "learning"


def test_what_comes_weekly_is_compared_with_weeks() -> None:
    values = {MONDAY + timedelta(weeks=week): 10.0 for week in range(40)}
    values[max(values)] = 1
    found = judge(values, dict.fromkeys(values), thresholds())
    assert isinstance(found, Verdict) and found.is_anomaly


def test_a_small_series_is_not_judged_but_one_without_sizes_is() -> None:
    assert verdict(*[1000] * 56, 0, size=19) == "small"
    assert isinstance(verdict(*[1000] * 56, 0, size=20), Verdict)
    assert isinstance(verdict(*[1000] * 56, 0), Verdict)


def test_negative_revenue_counts_as_none() -> None:
    assert is_anomaly(*[1000] * 56, -50)
    assert not is_anomaly(*[0] * 56, 0)


def test_simulated_shops_have_few_false_alarms_and_their_falls_are_found() -> None:
    # A tenth of what `python -m benchmarks.alerts` measures.
    figures = measure(shops=12, days=365)
    assert figures.false_alarms <= 5
    assert figures.found[0.4] >= 0.9
    assert figures.found[0.0] == 1


def test_a_verdict_is_told_in_words() -> None:
    assert str(verdict(*[1000] * 56, 20.5)) == "20.50 on Monday, 2026-07-27, expected 1,000 (700 to 1,300)"


@pytest.mark.parametrize("values", [[], [5.0]])
def test_too_few_values(values: list[float]) -> None:
    assert verdict(*values, 5.0) == "learning"
