"""What checks find, as SQL alone: for engines that run nothing of this package.

`anomaly.py` says what an anomaly is; the statements here give the same verdicts.
"""

from textwrap import indent

from lakehouse.alerts.anomaly import OF_NORMAL
from lakehouse.alerts.declared import AnomalyCheck, RowsCheck
from lakehouse.semantics.queries import literal

# A statement for each step of `judge`, for the last days of each series.
_JUDGED = """\
series as (
{query}
),

numbered as (
    select
        entity,
        date_day,
        cast(value as double) as value,
        cast(size as double) as size,
        row_number() over (partition by entity order by date_day) as place,
        row_number() over (partition by entity order by date_day desc) as age
    from series
    -- Today is still running.
    where date_day < current_date() and value is not null
),

history as (
    select
        days.entity,
        days.date_day,
        dayofweek(earlier.date_day) as weekday,
        earlier.value,
        earlier.size
    from numbered as days
    inner join numbered as earlier
        on days.entity = earlier.entity and earlier.place between days.place - {days} and days.place - 1
    where days.age <= {last}
),

known as (
    select entity, date_day, count(*) as days_known, percentile(size, 0.5) as usual_size
    from history
    group by entity, date_day
),

weekdays as (
    select entity, date_day, weekday, percentile(value, 0.5) as usual
    from history
    group by entity, date_day, weekday
),

ratios as (
    select
        history.entity,
        history.date_day,
        ln(greatest(history.value, 0) + 1) - ln(greatest(weekdays.usual, 0) + 1) as ratio
    from history
    inner join weekdays
        on history.entity = weekdays.entity
        and history.date_day = weekdays.date_day
        and history.weekday = weekdays.weekday
    -- On days when a shop is closed it varies not at all.
    where weekdays.usual != 0
),

middles as (
    select entity, date_day, percentile(ratio, 0.5) as middle
    from ratios
    group by entity, date_day
),

spreads as (
    select
        ratios.entity,
        ratios.date_day,
        {of_normal} * percentile(abs(ratio - middle), 0.5) as spread
    from ratios
    inner join middles on ratios.entity = middles.entity and ratios.date_day = middles.date_day
    group by ratios.entity, ratios.date_day
),

limits as (
    select
        weekdays.entity,
        weekdays.date_day,
        weekdays.usual as expected,
        exp({spreads} * greatest(coalesce(spreads.spread, 0), {least_spread})) as factor
    from weekdays
    inner join known on weekdays.entity = known.entity and weekdays.date_day = known.date_day
    left join spreads on weekdays.entity = spreads.entity and weekdays.date_day = spreads.date_day
    where
        weekdays.weekday = dayofweek(weekdays.date_day)
        and known.days_known >= {least_days}
        and (known.usual_size is null or known.usual_size >= {least_size})
),

judged as (
    select
        numbered.entity,
        numbered.date_day,
        numbered.value,
        limits.expected,
        least(expected / factor, expected * (1 - {least_change})) as low,
        greatest(expected * factor, expected * (1 + {least_change})) as high
    from numbered
    left join limits on numbered.entity = limits.entity and numbered.date_day = limits.date_day
    where numbered.age <= {last}
)"""

_ANOMALIES = """\
with {judged}

select
    entity,
    value,
    concat(
        round(value, 2), ' on ', date_day, ', expected ', round(expected, 2),
        ' (', round(low, 2), ' to ', round(high, 2), ')'
    ) as message
from judged
where
    -- One that ended is not judged.
    date_day > date_sub((select max(date_day) from judged), {days})
    and not value between low and high{quiet}
order by entity"""

_ROWS = """\
with found as (
{query}
)

select
    entity,
    value,
    message
from found
where
    true{least}{quiet}
order by entity"""


def judged(check: AnomalyCheck, query: str, last: int) -> str:
    """Expressions of a WITH, of which `judged` has entity, date_day, value, expected, low, high.

    It has the last days of each series of the check's query; the last three are null where a day has no
    verdict.
    """
    return _JUDGED.format(
        query=_inner(query), last=last, of_normal=OF_NORMAL, **check.thresholds.model_dump()
    )


def findings(check: AnomalyCheck | RowsCheck, query: str) -> str:
    """A query of what a check finds and is not snoozed: entity, value, message; `query` is the check's."""
    if isinstance(check, AnomalyCheck):
        return _ANOMALIES.format(
            judged=judged(check, query, 1), days=check.thresholds.days, quiet=_quiet(check)
        )
    least = "" if check.at_least is None else f"\n    and value >= {check.at_least}"
    return _ROWS.format(query=_inner(query), least=least, quiet=_quiet(check))


def _quiet(check: AnomalyCheck | RowsCheck) -> str:
    if check.snooze is None:
        return ""
    until = f"current_date() <= date'{check.snooze.until}'"
    names = ", ".join(map(literal, check.snooze.entities or ()))
    snoozed = until if check.snooze.entities is None else f"{until} and entity in ({names or 'null'})"
    return f"\n    and not coalesce({snoozed}, false)"


def _inner(query: str) -> str:
    return indent(query.strip(), "    ")
