"""DAX says what SQL says, also where DAX would take blank for 0, '' or false."""

import pytest

from lakehouse.exports.powerbi.dax import measure
from lakehouse.semantics.gold import Column, Gold, Subject, Table
from lakehouse.semantics.metrics import Aggregate, Derived, Metric, NoEqual, Ratio

_COLUMNS = {
    name: Column(name, kind, "", None, False)
    for name, kind in {
        "a": "decimal(18,2)",
        "b": "bigint",
        "flag": "boolean",
        "late": "boolean",
        "text": "string",
    }.items()
}
_TABLE = Table("gold", "fct", "", _COLUMNS, None)
_GOLD = Gold({"fct": _TABLE}, (), {"subject": Subject("subject", "fct", "", None, {}, None)})


def _dax(function: str, row: str) -> str:
    formula = Aggregate("subject", function, row)
    return measure(Metric("m", "M", "", None, formula), _GOLD, {})


@pytest.mark.parametrize(
    ("function", "row", "expected"),
    [
        ("sum", "a", "SUM('fct'[a])"),
        ("average", "a", "AVERAGE('fct'[a])"),
        ("min", "a", "MIN('fct'[a])"),
        ("max", "a", "MAX('fct'[a])"),
        ("average", "cast(a as double)", "AVERAGEX('fct', 'fct'[a])"),
        ("count", "text", "COUNTROWS(FILTER('fct', NOT ISBLANK('fct'[text])))"),
        ("count_distinct", "text", "DISTINCTCOUNTNOBLANK('fct'[text])"),
        (
            "count_distinct",
            "nullif(text, '-1')",
            "COUNTROWS(FILTER(DISTINCT(SELECTCOLUMNS('fct', \"Value\", IF((NOT ISBLANK('fct'[text]) && "
            "EXACT('fct'[text], \"-1\")), BLANK(), 'fct'[text]))), NOT ISBLANK([Value])))",
        ),
        # null - b is null, but BLANK() - b is -b.
        (
            "sum",
            "a - b",
            "SUMX('fct', IF(NOT (ISBLANK('fct'[a]) || ISBLANK('fct'[b])), 'fct'[a] - 'fct'[b]))",
        ),
        (
            "sum",
            "cast(a * 2 as decimal(18, 2))",
            "SUMX('fct', IF(NOT (ISBLANK('fct'[a])), ROUND('fct'[a] * 2, 2)))",
        ),
        # `not null` is not true, but NOT BLANK() is, and BLANK() = FALSE(), too.
        ("sum", "case when not late then 1 else 0 end", "SUMX('fct', IF('fct'[late] == FALSE(), 1, 0))"),
        (
            "sum",
            "case when flag and not late then 1 end",
            "SUMX('fct', IF(('fct'[flag] == TRUE() && 'fct'[late] == FALSE()), 1, BLANK()))",
        ),
        (
            "sum",
            "case when not (flag or late) then 1 end",
            "SUMX('fct', IF(('fct'[flag] == FALSE() && 'fct'[late] == FALSE()), 1, BLANK()))",
        ),
        # null < 5 is not true, but BLANK() < 5 is.
        (
            "sum",
            "case when b < 5 then a end",
            "SUMX('fct', IF((NOT ISBLANK('fct'[b]) && 'fct'[b] < 5), 'fct'[a], BLANK()))",
        ),
        (
            "sum",
            "case when not b < 5 then a end",
            "SUMX('fct', IF((NOT ISBLANK('fct'[b]) && 'fct'[b] >= 5), 'fct'[a], BLANK()))",
        ),
        (
            "sum",
            "case when late is not null then 1 end",
            "SUMX('fct', IF(NOT ISBLANK('fct'[late]), 1, BLANK()))",
        ),
        # "X" = "x" in DAX.
        (
            "sum",
            """case when text != 'a "x"' then a end""",
            "SUMX('fct', IF((NOT ISBLANK('fct'[text]) && NOT EXACT('fct'[text], \"a \"\"x\"\"\")), "
            "'fct'[a], BLANK()))",
        ),
        ("sum", "coalesce(a, 0)", "SUMX('fct', COALESCE('fct'[a], 0))"),
    ],
)
def test_an_aggregate_is_said_in_dax(function: str, row: str, expected: str) -> None:
    assert _dax(function, row) == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("unknown", "fct has no column unknown"),
        ("upper(text)", r"no equal for UPPER\(text\)"),
        ("a / b", r"no equal for a / b"),
        ("case when text > 'a' then 1 end", "orders texts in another way"),
        ("case when text like 'a%' then 1 end", "no equal for the condition text LIKE 'a%'"),
        ("a +", "cannot be read"),
        ("coalesce(a, 0) + 1", "no equal for COALESCE"),
    ],
)
def test_what_dax_cannot_say_is_refused(row: str, reason: str) -> None:
    with pytest.raises(NoEqual, match=reason):
        _dax("sum", row)


def test_metrics_of_metrics_name_their_measures() -> None:
    labels = {"profit": "Profit", "sales": "Sales [USD]"}
    ratio = Metric("margin", "Margin", "", None, Ratio("profit", "sales"))
    assert measure(ratio, _GOLD, labels) == "DIVIDE([Profit], [Sales [USD]]])"
    derived = Metric("cost", "Cost", "", None, Derived("(s - p) / s", {"s": "sales", "p": "profit"}))
    assert measure(derived, _GOLD, labels) == "DIVIDE(([Sales [USD]]] - [Profit]), [Sales [USD]]])"
