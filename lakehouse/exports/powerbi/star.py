"""Which tables lead to which: the relationships of the model."""

from sqlglot import exp, parse_one

from lakehouse.semantics.gold import Gold, Reference


def relationships(gold: Gold) -> dict[Reference, bool]:
    """References, and whether Power BI follows each by itself.

    There may be one way from a table to another; that of the days by which metrics are counted comes first.
    """
    counted = [reference for reference in (_day(gold, name) for name in gold.subjects) if reference]
    followed: dict[Reference, bool] = {}
    for reference in dict.fromkeys([*counted, *gold.references]):
        active = [known for known, is_active in followed.items() if is_active]
        above = {name for name in gold.tables if reference.table in _reached(name, active)}
        below = _reached(reference.to_table, active)
        followed[reference] = not any(_reached(name, active) & below for name in above)
    return dict(sorted(followed.items(), key=lambda item: (item[0].table, item[0].column, item[0].to_table)))


def _reached(table: str, references: list[Reference]) -> set[str]:
    found, waiting = {table}, [table]
    while waiting:
        here = waiting.pop()
        ahead = {r.to_table for r in references if r.table == here} - found
        found |= ahead
        waiting += ahead
    return found


def days(gold: Gold, table: str) -> dict[str, str]:
    """Days by which the metrics of a table are counted, and the column that each of them is in."""
    found = {}
    for subject in gold.subjects.values():
        if subject.table == table and subject.time:
            sql = parse_one(subject.dimensions[subject.time], dialect="databricks")
            is_cast = isinstance(sql, exp.Cast) and sql.to.is_type("date")
            column = sql.this if is_cast else sql
            if isinstance(column, exp.Column) and column.name in gold.tables[table].columns:
                found[subject.time] = column.name
    return found


def _day(gold: Gold, subject: str) -> Reference | None:
    """How a subject's metrics are counted by day, as dbt does it."""
    about, calendar = gold.subjects[subject], gold.calendar
    if not calendar or not about.time or about.time not in days(gold, about.table):
        return None
    return Reference(about.table, about.time, calendar.name, calendar.day or "")
