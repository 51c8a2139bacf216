"""False alarms and missed falls of revenue in simulated shops: `python -m benchmarks.alerts`."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from lakehouse.alerts.anomaly import Verdict, judge
from lakehouse.alerts.declared import AnomalyCheck, Thresholds, read_checks

SHOPS, DAYS = 60, 730
# What is left of a day's revenue.
FALLS = (0.6, 0.4, 0.0)


@dataclass(frozen=True)
class Figures:
    """Alarms a shop and year, false ones and those of promotions, and the share of falls that are found."""

    false_alarms: float
    of_promotions: float
    found: dict[float, float]


def main() -> None:
    """Print the figures for the thresholds of `alerts.yml`."""
    figures = measure(SHOPS, DAYS)
    print(f"False alarms, a shop and year: {figures.false_alarms:.1f}")
    print(f"Promotions that are alarms, a shop and year: {figures.of_promotions:.1f}")
    for left, share in figures.found.items():
        print(f"Falls by {1 - left:.0%} found: {share:.1%}")


def thresholds() -> Thresholds:
    """Those of the check of revenue."""
    checks = read_checks(Path(__file__).parents[1])
    return next(
        check.thresholds for check in checks if isinstance(check, AnomalyCheck) and check.name == "revenue"
    )


def measure(shops: int, days: int) -> Figures:
    """Judge every day of every shop as it was, and as if its revenue had fallen."""
    limits, judged, alarms, promoted = thresholds(), 0, 0, 0
    falls, found = 0, dict.fromkeys(FALLS, 0)
    for shop in range(shops):
        revenue, promotions = simulate(shop, days)
        for place in range(days):
            window = dict(list(revenue.items())[max(0, place - limits.days) : place + 1])
            verdict = judge(window, dict.fromkeys(window), limits)
            if not isinstance(verdict, Verdict):
                continue
            judged += 1
            if verdict.is_anomaly:
                promoted += verdict.day in promotions
                alarms += verdict.day not in promotions
            # A shop that is closed cannot fall.
            if verdict.expected and verdict.day not in promotions:
                falls += 1
                for left in FALLS:
                    found[left] += verdict.value * left < verdict.low
    a_year = 365 / judged
    return Figures(alarms * a_year, promoted * a_year, {left: found[left] / falls for left in FALLS})


def simulate(shop: int, days: int) -> tuple[dict[date, float], set[date]]:
    """Revenue by day, and the days of promotions, of the shop of this number.

    It has a week of its own, in every sixth shop with a day off, noise of 18 %, seasons, and grows by
    -20 to 60 % a year. On 1.5 % of the days a promotion brings 1.5 to 3 times as much.
    """
    random = np.random.default_rng(shop)
    week = np.exp(random.normal(0, 0.25, 7))
    if shop % 6 == 0:
        week[6] = 0
    time = np.arange(days)
    level = np.exp(random.uniform(np.log(1_000), np.log(50_000)))
    growth = np.exp(np.log1p(random.uniform(-0.2, 0.6)) * time / 365)
    seasons = 1 + 0.1 * np.sin(2 * np.pi * time / 365 + random.uniform(0, 2 * np.pi))
    revenue = level * week[time % 7] * growth * seasons * np.exp(random.normal(0, 0.18, days))
    promoted = random.random(days) < 0.015
    revenue = np.where(promoted, revenue * random.uniform(1.5, 3, days), revenue)
    dates = [date(2024, 1, 1) + timedelta(int(day)) for day in time]
    return dict(zip(dates, revenue.tolist(), strict=True)), {
        day for day, is_promotion in zip(dates, promoted, strict=True) if is_promotion
    }


if __name__ == "__main__":
    main()
