"""The SQL of metrics, as the semantic models of the project define them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

Grain = Literal["day", "week", "month", "quarter", "year"]

_AGGREGATES = {
    "sum": "sum({})",
    "count": "count({})",
    "count_distinct": "count(distinct {})",
    "average": "avg({})",
    "min": "min({})",
    "max": "max({})",
}
# Their parts add up to the whole.
_ADDITIVE = ("sum", "count")


@dataclass(frozen=True)
class Metric:
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
        conditions = f" where {' and '.join(where)}" if where else ""
        groups = f" group by {', '.join(by)}" if by else ""
        return f"select {', '.join([*by, self.value])} from {self.table}{conditions}{groups}"

    def period(self, grain: Grain) -> str:
        """Expression of the first day of the day's period; weeks begin on Monday."""
        return f"cast(date_trunc('{grain}', {self.time}) as date)"


def read_metrics(manifest: "Manifest") -> dict[str, Metric]:
    """Every metric of the project by name: simple ones, and ratios of simple ones of one semantic model.

    Raises:
        UsageError: a metric is of another kind, or has a filter.
    """
    declared = {metric.name: metric for metric in manifest.metrics.values()}
    measures = {
        measure.name: (measure, model)
        for model in manifest.semantic_models.values()
        for measure in model.measures
    }
    return {name: _metric(name, declared, measures) for name in declared}


def _metric(name: str, declared: dict[str, Any], measures: dict[str, Any]) -> Metric:
    metric = declared[name]
    parts = metric.type_params
    kind = metric.type.value
    if kind == "simple":
        named = [parts.measure]
    elif kind == "ratio":
        named = [declared[part.name].type_params.measure for part in (parts.numerator, parts.denominator)]
    else:
        raise UsageError(f"Metric {name} is {kind}; only simple metrics and ratios of them are known.")
    if metric.filter or any(measure is None or measure.filter for measure in named):
        raise UsageError(f"Metric {name} has a filter, or is a ratio of ratios: write it into a measure.")
    (measure, model), *others = (measures[measure.name] for measure in named)
    if any(other is not model for _, other in others):
        raise UsageError(f"Metric {name} is a ratio over two semantic models, which no query has yet.")
    values = [_AGGREGATES[of.agg.value].format(of.expr) for of, _ in ((measure, model), *others)]
    quotient = "cast({} as double) / nullif(cast({} as double), 0)"
    dimensions = {dimension.name: dimension.expr or dimension.name for dimension in model.dimensions}
    return Metric(
        name=name,
        label=metric.label or name,
        description=metric.description or "",
        unit=str(metric.config.meta.get("unit", "")),
        table=f"{model.node_relation.schema_name}.{model.node_relation.alias}",
        value=values[0] if kind == "simple" else quotient.format(*values),
        time=dimensions[measure.agg_time_dimension or model.defaults.agg_time_dimension],
        dimensions=dimensions,
        is_additive=kind == "simple" and measure.agg.value in _ADDITIVE,
    )
