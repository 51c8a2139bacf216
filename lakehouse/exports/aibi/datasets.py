"""What widgets read: the SQL of tiles, as one statement each.

Names have their schema; the catalog is said where a dashboard is deployed. Filters are parameters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lakehouse.alerts.declared import AnomalyCheck
from lakehouse.alerts.in_sql import judged
from lakehouse.dashboards.declared import DAYS_OF_BAND, DAYS_OF_BLOCK, DAYS_OF_YEAR, Filter, Tile
from lakehouse.semantics.queries import MetricQuery, literal, quoted, sql_of

# What a filter says where it leaves nothing out.
ALL = "(all)"
# Columns beside those of the declaration: a comparison, and the last day of a block of days.
YEAR_BEFORE, UNTIL = "a_year_before", "until"


@dataclass(frozen=True)
class Dataset:
    """A query with the columns of its answer, and the filters that are its parameters."""

    sql: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query of the project with names of tables, its columns with types, and the sources that it reads."""

    sql: str
    columns: dict[str, str]
    reads: frozenset[str] = frozenset()


def of_filter(narrowed: Filter, table: str) -> Dataset:
    """What a filter offers: everything, and each value of its column."""
    column = quoted(narrowed.column)
    sql = (
        f"select {literal(ALL)} as {column}\nunion\n"
        f"select cast({column} as string) as {column} from {table} where {column} is not null\n"
        f"order by {column}"
    )
    return Dataset(sql, (narrowed.column,))


def of_number(tile: Tile, metric: MetricQuery, filters: Sequence[str]) -> Dataset:
    """One row: the metric, and that of a year before if the tile compares them."""
    where, narrowed = _conditions(metric, filters)
    if tile.days is None:
        parts = [_answer("answer", [metric.name], metric.sql(where=where))]
        return _dataset(parts, [metric.name], narrowed)
    dated = _dated(metric)
    now = dated.sql(where=[*where, _days(tile.days, metric)])
    parts, columns, rest = [_newest(metric), _answer("answer", [metric.name], now)], [metric.name], ""
    if tile.compare:
        before = dated.sql(where=[*where, _days(tile.days, metric, DAYS_OF_YEAR)])
        parts.append(_answer("before", [YEAR_BEFORE], before))
        columns, rest = [metric.name, YEAR_BEFORE], "\ncross join before"
    return _dataset(parts, columns, narrowed, rest)


def of_course(tile: Tile, metric: MetricQuery, filters: Sequence[str]) -> Dataset:
    """A row for each block of days of a number, with its last day; the last block ends with the last day."""
    assert tile.days is not None and tile.grain is not None
    where, narrowed = _conditions(metric, filters)
    days, last = DAYS_OF_BLOCK[tile.grain], "date_sub(newest_day, 1)"
    ago = f"datediff({last}, cast({metric.time} as date))"
    until = f"date_sub({last}, {days} * cast(floor({ago} / {days}) as int))"
    columns = [UNTIL, metric.name]
    sql = _dated(metric).sql([until], [*where, _days(tile.days, metric)])
    parts = [_newest(metric), _answer("answer", columns, sql)]
    return _dataset(parts, columns, narrowed, f"\norder by {quoted(UNTIL)}")


def of_metrics(tile: Tile, metrics: Sequence[MetricQuery], filters: Sequence[str]) -> Dataset:
    """A row for each period and value of the dimensions, with the metrics."""
    metric, by = metrics[0], [metrics[0].dimensions[name] for name in tile.by]
    columns = [*tile.by, *(metric.name for metric in metrics)]
    where, narrowed = _conditions(metric, filters)
    asked, parts = list(metrics), []
    if tile.days:
        parts, asked[0] = [_newest(metric)], _dated(metric)
        where.append(_days(tile.days, metric))
    rest = f"\norder by {quoted(metric.name)} desc nulls last, {quoted(columns[0])}"
    if tile.grain:
        by, columns = [metric.period(tile.grain), *by], [tile.grain, *columns]
        rest = f"\norder by {quoted(tile.grain)}"
    parts.append(_answer("answer", columns, sql_of(asked, by, where)))
    if tile.grain and tile.grain != "day":
        parts.append(_periods(tile.grain))
        rest = _WHOLE.format(period=quoted(tile.grain)) + rest
    return _dataset(parts, columns, narrowed, rest)


def of_query(tile: Tile, query: Query, filters: Sequence[str]) -> Dataset:
    """The rows of a query; days are added up by the tile's grain."""
    narrowed = [name for name in filters if name in query.columns]
    where = _where([_chosen(name, quoted(name)) for name in narrowed])
    parts, columns = [f"answer as (\n{query.sql.strip()}\n)"], list(query.columns)
    if tile.grain in ("month", "year"):
        columns = [name for name in (tile.x, *tile.by[:1], tile.y) if name]
        x, *by, y = map(quoted, columns)
        groups = ", ".join([f"cast(date_trunc('{tile.grain}', {x}) as date)", *by])
        added = f"select {groups}, sum({y}) from answer{where} group by {groups}"
        return _dataset([*parts, _answer("added", columns, added)], columns, narrowed, table="added")
    if not where:
        return Dataset(query.sql.strip(), tuple(columns))
    return _dataset(parts, columns, narrowed, where)


def of_check(tile: Tile, check: AnomalyCheck, query: Query, filters: Sequence[str]) -> Dataset:
    """A row for each day of a series with its value and the limits of what is usual."""
    narrowed = [name for name in tile.by[:1] if name in filters]
    entity = literal(tile.entity or "")
    if narrowed:
        parameter = f":{narrowed[0]}"
        entity = f"case when {parameter} = {literal(ALL)} then {entity} else {parameter} end"
    one = f"select *\nfrom (\n{query.sql.strip()}\n) as series\nwhere entity = {entity}"
    names = ("date_day", check.name, "low", "high")
    sql = (
        f"with {judged(check, one, DAYS_OF_BAND)}\n\n"
        f"select date_day, value as {quoted(check.name)}, low, high\nfrom judged\norder by date_day"
    )
    return Dataset(sql, names, tuple(narrowed))


# As long as there are some, those whose days may be a part only are left out: the first and the last.
_WHOLE = """
cross join periods
where number_of_periods < 4 or ({period} > first_period and {period} < last_period)"""


def _periods(grain: str) -> str:
    period = quoted(grain)
    counted = f"min({period}), max({period}), count(distinct {period})"
    columns = ["first_period", "last_period", "number_of_periods"]
    return _answer("periods", columns, f"select {counted} from answer")


def _newest(metric: MetricQuery) -> str:
    newest = f"select cast(max({metric.time}) as date) from {metric.table}"
    return _answer("newest", ["newest_day"], newest)


def _dated(metric: MetricQuery) -> MetricQuery:
    """The metric over rows that know the newest day."""
    return replace(metric, table=f"{metric.table} cross join newest")


def _days(days: int, metric: MetricQuery, before: int = 0) -> str:
    """So many days; the last is the one before the newest, which may not be over, or some days `before`."""
    first, last = days + before, 1 + before
    day = f"cast({metric.time} as date)"
    return f"{day} between date_sub(newest_day, {first}) and date_sub(newest_day, {last})"


def _conditions(metric: MetricQuery, filters: Iterable[str]) -> tuple[list[str], list[str]]:
    """Conditions of the filters that know the metric, and their names."""
    narrowed = [name for name in filters if name in metric.dimensions]
    return [_chosen(name, metric.dimensions[name]) for name in narrowed], narrowed


def _chosen(parameter: str, expression: str) -> str:
    return f"(:{parameter} = {literal(ALL)} or cast({expression} as string) = :{parameter})"


def _answer(name: str, columns: Sequence[str], sql: str) -> str:
    return f"{name} ({', '.join(map(quoted, columns))}) as (\n{sql}\n)"


def _where(conditions: Sequence[str]) -> str:
    return f"\nwhere {' and '.join(conditions)}" if conditions else ""


def _dataset(
    parts: Sequence[str],
    columns: Sequence[str],
    parameters: Sequence[str],
    rest: str = "",
    table: str = "answer",
) -> Dataset:
    answers = ",\n\n".join(parts)
    sql = f"with {answers}\n\nselect {', '.join(map(quoted, columns))}\nfrom {table}{rest}"
    return Dataset(sql, tuple(columns), tuple(parameters))
