"""Semantic models as metric views of Unity Catalog: a statement with YAML for each."""

from typing import Any

import yaml
from sqlglot import exp, parse_one

from lakehouse.semantics.gold import Gold, Reference, Subject
from lakehouse.semantics.metrics import Metric, Metrics

_PERCENTAGE = {"type": "percentage"}
_FORMATS = {"USD": {"type": "currency", "currency_code": "USD"}, "ratio": _PERCENTAGE, "share": _PERCENTAGE}


def statements(gold: Gold, metrics: Metrics, catalog: str) -> tuple[dict[str, str], dict[str, str]]:
    """Statements by name of the file, and why metrics are refused, by name."""
    metrics = metrics.of_one_table()
    subjects = metrics.subjects
    files = {}
    for subject in gold.subjects.values():
        own = [metric for metric in metrics.known.values() if subjects[metric.name] == {subject.name}]
        if own:
            files[f"{subject.name}_metrics.sql"] = _statement(gold, subject, own, catalog)
    return files, metrics.refused


def _statement(gold: Gold, subject: Subject, metrics: list[Metric], catalog: str) -> str:
    schema = gold.tables[subject.table].schema
    body = yaml.safe_dump(
        view(gold, subject, metrics, catalog), sort_keys=False, allow_unicode=True, width=110
    )
    name = ".".join(f"`{part}`" for part in (catalog, schema, f"{subject.name}_metrics"))
    # A text between $$ and $$ holds none itself.
    return (
        f"create or replace view {name}\nwith metrics\nlanguage yaml\nas $$\n{body.replace('$$', '$ $')}$$;\n"
    )


def view(gold: Gold, subject: Subject, metrics: list[Metric], catalog: str) -> dict[str, Any]:
    """A metric view as its YAML has it."""
    joins = _joins(gold, subject)
    return {
        "version": 1.1,
        "comment": subject.description,
        "source": _full_name(gold, subject.table, catalog),
        **({"joins": [_join(gold, r, catalog) for r in joins]} if joins else {}),
        "dimensions": [
            *(_dimension(gold, subject, name) for name in subject.dimensions),
            *(dimension for reference in joins for dimension in _joined(gold, reference)),
        ],
        "measures": [_measure(metric) for metric in metrics],
    }


def _dimension(gold: Gold, subject: Subject, name: str) -> dict[str, str]:
    sql = subject.dimensions[name]
    column = gold.tables[subject.table].columns.get(sql)
    return {"name": name, "expr": sql} | ({"comment": column.description} if column else {})


def _full_name(gold: Gold, table: str, catalog: str) -> str:
    return f"{catalog}.{gold.tables[table].schema}.{table}"


def _joins(gold: Gold, subject: Subject) -> list[Reference]:
    """One reference for each table; that to the calendar is by the day that the metrics are counted by."""
    references = {r.to_table: r for r in reversed(gold.references) if r.table == subject.table}
    if (calendar := gold.calendar) and subject.time:
        day = subject.dimensions[subject.time]
        references[calendar.name] = Reference(subject.table, day, calendar.name, calendar.day or "")
    return [references[name] for name in sorted(references)]


def _join(gold: Gold, reference: Reference, catalog: str) -> dict[str, str]:
    column = parse_one(reference.column, dialect="databricks")
    for name in column.find_all(exp.Column):
        name.set("table", exp.to_identifier("source"))
    return {
        "name": reference.to_table,
        "source": _full_name(gold, reference.to_table, catalog),
        "on": f"{column.sql('databricks')} = {reference.to_table}.{reference.to_column}",
    }


def _joined(gold: Gold, reference: Reference) -> list[dict[str, str]]:
    """What people ask for of a joined table."""
    table = gold.tables[reference.to_table]
    shown = [c for c in table.columns.values() if not (c.personal or c.technical)]
    return [
        {
            "name": f"{table.name.removeprefix('dim_')}_{column.name}",
            "expr": f"{table.name}.{column.name}",
            "comment": column.description,
        }
        for column in shown
        if column.name != reference.to_column
    ]


def _measure(metric: Metric) -> dict[str, Any]:
    told = {
        "name": metric.name,
        "expr": metric.sql(lambda name: f"measure({name})"),
        "display_name": metric.label,
        "comment": metric.description,
    }
    return told | ({"format": dict(_FORMATS[metric.unit])} if metric.unit in _FORMATS else {})
