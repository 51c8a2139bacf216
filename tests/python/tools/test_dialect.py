"""Rules of the check that need the types of columns, and what it leaves alone."""

import pytest

from tools.dialect import differences

SCHEMA = {
    "gold": {
        "sales": {
            "amount": "decimal(18,2)",
            "cost": "decimal(18,2)",
            "share": "double",
            "lines": "int",
            "sold_on": "date",
            "shipped_on": "date",
            "sold_at": "timestamp",
        }
    }
}


@pytest.mark.parametrize(
    ("expression", "instead"),
    [
        ("explode(array(named_struct('a', named_struct('b', 1)))).a.b", "of its own"),
        ("amount / cost", "divide"),
        ("amount / lines", "divide"),
        ("cast(amount / cost as decimal(18, 6))", "divide"),
        ("avg(amount)", "cast(avg"),
        ("round(amount, 1)", "rounds"),
        ("shipped_on - sold_on", "datediff"),
        ("cast(share as string)", "decimal"),
        ("concat_ws('|', lines, sold_at)", "cast(time as string)"),
        ("if(lines > 1, amount, lines)", "one type"),
        ("case when lines > 1 then sold_on else sold_at end", "one type"),
        ("coalesce(sold_on, sold_at)", "one type"),
        ("timestamp_seconds(share)", "bigint"),
        ("date_trunc('month', sold_on)", "trunc"),
    ],
)
def test_what_differs_is_refused_with_what_to_use(expression: str, instead: str) -> None:
    (difference, *_) = differences(f"select {expression} from gold.sales", SCHEMA)
    assert instead in difference.instead


@pytest.mark.parametrize(
    "expression",
    [
        "cast(amount / cost as decimal(18, 2))",
        "amount / cast(cost as double)",
        "lines / 2",
        "lines div 2",
        "cast(avg(amount) as decimal(18, 4))",
        "round(share, 1)",
        "cast(datediff(shipped_on, sold_on) as int)",
        "cast(amount as string)",
        "concat(lines, '-', lines + 10)",
        "if(lines > 1, amount, null)",
        "coalesce(amount, 0)",
        "timestamp_seconds(lines)",
        "cast(date_trunc('week', sold_on) as date)",
        "date_trunc('hour', sold_at)",
        "'initcap(' || lines",
    ],
)
def test_what_agrees_is_left_alone(expression: str) -> None:
    assert differences(f"select {expression} from gold.sales", SCHEMA) == []


def test_types_go_through_subqueries() -> None:
    query = "with priced as (select amount as price, cost from gold.sales) select price / cost from priced"
    assert [each.expression for each in differences(query, SCHEMA)] == ["priced.price / priced.cost"]


def test_a_query_that_cannot_be_parsed_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        differences("select (1")
