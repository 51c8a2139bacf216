"""The macro `divide` on Sail, Spark and by Python's decimals."""

import random
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from jinja2 import Environment, FileSystemLoader

from tests.python import PROJECT
from tests.python.sql.engines import ask

_PLACES = (2, 6)


def cases() -> list[tuple[str, str, int]]:
    """Random amounts and divisors, with halves of a cent among their quotients."""
    chance = random.Random(27)
    amounts = [f"{chance.randint(-(10**n), 10**n) / 100:.2f}" for n in (2, 5, 9, 14) for _ in range(40)]
    divisors = [str(chance.choice([2, 3, 7, 8, 16, 300, chance.randint(1, 10**6)])) for _ in amounts]
    halves = [("0.01", "2"), ("-0.01", "2"), ("0.03", "8"), ("1.005", "1"), ("2.675", "1"), ("1", "400.5")]
    return [(a, b, places) for a, b in [*zip(amounts, divisors, strict=True), *halves] for places in _PLACES]


def expected(dividend: str, divisor: str, places: int) -> Decimal:
    with localcontext(prec=60):
        quotient = (Decimal(dividend) / Decimal(divisor)).quantize(Decimal(10) ** -places, ROUND_HALF_UP)
        # Databases have no -0.00.
        return quotient + 0


@pytest.mark.parametrize("engine", ["sail", pytest.param("spark", marks=pytest.mark.spark)])
def test_a_quotient_is_rounded_half_up(engine: str) -> None:
    macros = (
        Environment(loader=FileSystemLoader(PROJECT / "macros" / "clean")).get_template("divide.sql").module
    )
    wanted = {}
    for dividend, divisor, places in cases():
        sql = " ".join(macros.divide(f"cast({dividend} as decimal(18, 4))", divisor, places).split())  # type: ignore[attr-defined]
        wanted[sql] = f"decimal(18,{places}): {expected(dividend, divisor, places)!r}"
    by_zero = " ".join(macros.divide("1", "0").split())  # type: ignore[attr-defined]
    assert ask(engine, [*wanted, by_zero]) == {**wanted, by_zero: "decimal(18,2): None"}
