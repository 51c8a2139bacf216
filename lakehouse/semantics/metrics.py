"""Metrics as formulas that every program can be told; one that has no such formula is refused by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from sqlglot import exp, parse_one

from lakehouse.semantics.gold import Gold, Subject, one_line

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_DIALECT = "databricks"

# The aggregates of dbt that every program has, in SQL.
AGGREGATES = {
    "sum": "sum({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "average": "avg({})",
    "min": "min({})",
    "max": "max({})",
}


class NoEqual(Exception):
    """What a metric says cannot be said elsewhere; the message says what it is."""


@dataclass(frozen=True)
class Aggregate:
    """One of `AGGREGATES` over `row`: SQL on a row of the subject's table, with the filters in it."""

    subject: str
    function: str
    row: str

    @property
    def sql(self) -> str:
        """The aggregate as an expression of SQL."""
        return AGGREGATES[self.function].format(self.row)


@dataclass(frozen=True)
class Ratio:
    """A metric divided by another; null where that is 0."""

    numerator: str
    denominator: str


@dataclass(frozen=True)
class Derived:
    """An expression of SQL in which names stand for metrics."""

    expression: str
    metrics: dict[str, str]


@dataclass(frozen=True)
class Metric:
    """A metric and its formula."""

    name: str
    label: str
    description: str
    unit: str | None
    formula: Aggregate | Ratio | Derived

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the metrics it is computed from."""
        match self.formula:
            case Ratio(numerator, denominator):
                return numerator, denominator
            case Derived(metrics=metrics):
                return tuple(metrics.values())
            case _:
                return ()

    def sql(self, other: Callable[[str], str]) -> str:
        """The metric as an expression of SQL; `other` gives that of a metric it needs."""
        match self.formula:
            case Aggregate() as formula:
                return formula.sql
            case Ratio(numerator, denominator):
                return f"cast({other(numerator)} as double) / nullif({other(denominator)}, 0)"
            case Derived(expression, metrics):
                parts = {
                    alias: parse_one(other(name), dialect="databricks") for alias, name in metrics.items()
                }
                whole = parse_one(expression, dialect=_DIALECT).transform(
                    lambda node: parts.get(node.name, node) if isinstance(node, exp.Column) else node
                )
                return whole.sql(_DIALECT, normalize_functions=False)


@dataclass(frozen=True)
class Metrics:
    """Metrics by name, each after those it needs, and why others are refused."""

    known: dict[str, Metric]
    refused: dict[str, str]

    def without(self, refused: dict[str, str]) -> "Metrics":
        """The same, but for some more and what needs them."""
        return _in_order(
            {name: metric for name, metric in self.known.items() if name not in refused},
            self.refused | refused,
        )

    @property
    def subjects(self) -> dict[str, set[str]]:
        """The subjects that each metric is about."""
        found: dict[str, set[str]] = {}
        for name, metric in self.known.items():
            formula = metric.formula
            about = (
                [{formula.subject}] if isinstance(formula, Aggregate) else [found[n] for n in metric.needs]
            )
            found[name] = set().union(*about)
        return found

    def of_one_table(self) -> "Metrics":
        """The same, but for those of several tables."""
        return self.without(
            {
                name: f"its metrics are of several tables: {', '.join(sorted(subjects))}"
                for name, subjects in self.subjects.items()
                if len(subjects) > 1
            }
        )


def read_metrics(manifest: "Manifest", gold: Gold) -> Metrics:
    """All metrics of the project."""
    measures = {
        measure.name: (measure, gold.subjects[model.name])
        for model in manifest.semantic_models.values()
        for measure in model.measures
    }
    known, refused = {}, {}
    for metric in sorted(manifest.metrics.values(), key=lambda metric: metric.name):
        try:
            known[metric.name] = Metric(
                metric.name,
                metric.label,
                one_line(metric.description),
                metric.config.meta.get("unit"),
                _formula(metric, measures),
            )
        except NoEqual as reason:
            refused[metric.name] = str(reason)
    return _in_order(known, refused)


def _in_order(waiting: dict[str, Metric], refused: dict[str, str]) -> Metrics:
    known: dict[str, Metric] = {}
    while ready := [m for m in waiting.values() if m.name not in known and all(n in known for n in m.needs)]:
        known |= {metric.name: metric for metric in ready}
    lacking = {
        metric.name: f"it needs {', '.join(name for name in metric.needs if name not in known)}"
        for metric in waiting.values()
        if metric.name not in known
    }
    return Metrics(known, dict(sorted((refused | lacking).items())))


def _formula(metric: Any, measures: dict[str, tuple[Any, Subject]]) -> Aggregate | Ratio | Derived:
    parts = metric.type_params
    match metric.type.value:
        case "simple" if parts.measure:
            return _aggregate(metric, *measures[parts.measure.name])
        case "ratio":
            _check_plain(metric, [parts.numerator, parts.denominator])
            return Ratio(parts.numerator.name, parts.denominator.name)
        case "derived":
            _check_plain(metric, parts.metrics)
            return Derived(parts.expr, {part.alias or part.name: part.name for part in parts.metrics})
    raise NoEqual(f"metrics of type {metric.type.value} are known to dbt alone")


def _check_plain(metric: Any, parts: Iterable[Any]) -> None:
    if metric.filter or any(part.filter for part in parts):
        raise NoEqual("it filters other metrics: declare the filtered ones as metrics of their own")
    if any(part.offset_window or part.offset_to_grain for part in parts):
        raise NoEqual("it looks back by an offset of time")


def _aggregate(metric: Any, measure: Any, subject: Subject) -> Aggregate:
    told = metric.type_params.measure
    if measure.agg.value not in AGGREGATES:
        raise NoEqual(f"the aggregate {measure.agg.value} of its measure {measure.name} differs by program")
    if measure.non_additive_dimension:
        raise NoEqual(
            f"its measure {measure.name} is not added up over {measure.non_additive_dimension.name}"
        )
    if told.join_to_timespine or told.fill_nulls_with is not None:
        raise NoEqual("it fills days without rows")
    conditions = [
        _condition(part.where_sql_template, subject)
        for filters in (metric.filter, told.filter)
        if filters
        for part in filters.where_filters
    ]
    row = str(measure.expr or measure.name)
    if conditions:
        row = f"case when {' and '.join(f'({condition})' for condition in conditions)} then {row} end"
    return Aggregate(subject.name, measure.agg.value, row)


def _condition(template: str, subject: Subject) -> str:
    """A filter as SQL on a row of the subject's table."""

    def dimension(name: str, grain: str | None = None) -> str:
        entity, _, own = name.rpartition("__")
        if entity != subject.entity or own not in subject.dimensions or grain not in (None, "day"):
            raise NoEqual(
                f"its filter asks for {name}{f' by {grain}' if grain else ''}, not of {subject.name}"
            )
        return f"({subject.dimensions[own]})"

    try:
        names = {"Dimension": dimension, "TimeDimension": dimension}
        return SandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(names)
    except TemplateError as error:
        raise NoEqual(f"its filter cannot be read: {error}") from None
