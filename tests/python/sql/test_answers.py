"""Sail and Spark answer as they did, and what they answer differently is refused."""

import pytest

from tests.python.sql.answers import Answers, asked, expressions, pinned
from tools.dialect import differences

# Only the values tell; docs/sql.md warns of them.
_UNSEEN = {
    "size(null)",
    "abs(-2147483648)",
    "2147483647 + 1",
    "cast(9223372036854775807 as bigint) + 1",
    "cast(2147483647 as int) * 2",
    "cast(2000000000 as int) + cast(2000000000 as int)",
    "sum(x) from values (9223372036854775807L), (1L) t(x)",
    """from_json('{"a":1} x', 'a int').a""",
    """from_json('{"a":NaN}', 'a double').a""",
    """from_json('{''a'':1}', 'a int').a""",
}


@pytest.fixture(scope="module")
def answers() -> Answers:
    return asked()


@pytest.mark.spark
def test_both_engines_answer_as_they_did(answers: Answers) -> None:
    assert answers == pinned(), "read what changed: python -m tests.python.sql.answers; git diff"


def test_every_expression_has_an_answer() -> None:
    assert {*pinned()["same"], *pinned()["different"]} == set(expressions())


@pytest.mark.parametrize("expression", sorted(set(pinned()["different"]) - _UNSEEN))
def test_what_is_answered_differently_is_refused(expression: str) -> None:
    assert differences(f"select {expression}")
