"""Queries of metrics, as the semantic models of the project define them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lakehouse.semantics.gold import Gold, read_gold
from lakehouse.semantics.metrics import Aggregate, Metrics, read_metrics

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

Grain = Literal["day", "week", "month", "quarter", "year"]

# Their parts add up to the whole.
_ADDITIVE = ("sum", "count")


@dataclass(frozen=True)
class MetricQuery:
    """A metric: `value` is an aggregate over `table` (`schema.table`), `dimensions` are expressions by name.

    `time` is the expression of the day by which it is added up. `unit` is `ratio` for parts of one.
    """

    name: str
    label: str
    description: str
    unit: str
    table: str
    value: str
    time: str
    dimensions: dict[str, str]
    is_additive: bool

    def sql(self, by: Sequence[str] = (), where: Sequence[str] = ()) -> str:
        """A query of the metric, the last column, by expressions, the columns before it."""
        return sql_of([self], by, where)

    def period(self, grain: Grain) -> str:
        """Expression of the first day of the day's period; weeks begin on Monday."""
        return f"cast(date_trunc('{grain}', {self.time}) as date)"


@dataclass(frozen=True)
class Queries:
    """Queries by the name of their metric, and why other metrics have none."""

    known: dict[str, MetricQuery]
    refused: dict[str, str]


def sql_of(metrics: Sequence[MetricQuery], by: Sequence[str] = (), where: Sequence[str] = ()) -> str:
    """A query of metrics of one table, the last columns, by expressions, the columns before them."""
    values = [metric.value for metric in metrics]
    conditions = f" where {' and '.join(where)}" if where else ""
    groups = f" group by {', '.join(by)}" if by else ""
    return f"select {', '.join([*by, *values])} from {metrics[0].table}{conditions}{groups}"


def literal(value: str) -> str:
    """A text in SQL, whatever is in it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """A name in SQL, whatever is in it."""
    return "`" + name.replace("`", "``") + "`"


def read_queries(manifest: "Manifest") -> Queries:
    """Queries of all metrics of the project."""
    gold = read_gold(manifest)
    return queries(gold, read_metrics(manifest, gold))


def queries(gold: Gold, metrics: Metrics) -> Queries:
    """Queries of metrics; one of several tables, or without a day, has none."""
    metrics = metrics.of_one_table()
    timeless = {
        name: f"{gold.subjects[subject].name} has no day to count by (agg_time_dimension)"
        for name, (subject,) in metrics.subjects.items()
        if gold.subjects[subject].time is None
    }
    metrics = metrics.without(timeless)
    return Queries({name: _query(name, gold, metrics) for name in metrics.known}, metrics.refused)


def _query(name: str, gold: Gold, metrics: Metrics) -> MetricQuery:
    metric, (subject_name,) = metrics.known[name], metrics.subjects[name]
    subject = gold.subjects[subject_name]
    formula = metric.formula
    return MetricQuery(
        name=name,
        label=metric.label,
        description=metric.description,
        unit=metric.unit or "",
        table=f"{gold.tables[subject.table].schema}.{subject.table}",
        value=_value(name, metrics),
        time=subject.dimensions[subject.time or ""],
        dimensions=subject.dimensions,
        is_additive=isinstance(formula, Aggregate) and formula.function in _ADDITIVE,
    )


def _value(name: str, metrics: Metrics) -> str:
    return metrics.known[name].sql(lambda other: f"({_value(other, metrics)})")
