"""What Sail and Spark answer to the expressions of `expressions.txt`, pinned in `answers.json`.

`python -m tests.python.sql.answers` asks both again and writes the file. Do so when a version of either
changes, or after adding an expression, and read what changed: what models may use is in `docs/sql.md`.
"""

import json
from pathlib import Path
from typing import TypedDict

from tests.python.sql.engines import ask

FILE = Path(__file__).with_name("answers.json")
_EXPRESSIONS = Path(__file__).with_name("expressions.txt")


class Answers(TypedDict):
    """Answers by expression: one where both engines agree, else one of each."""

    same: dict[str, str]
    different: dict[str, dict[str, str]]


def expressions() -> list[str]:
    """What is asked: select lists, one a line; those that are known as errors last, which are asked alone."""
    lines = _EXPRESSIONS.read_text(encoding="utf-8").splitlines()
    errors = {expression for expression, answer in pinned()["same"].items() if answer == "error"}
    return sorted((line for line in lines if line and not line.startswith("--")), key=errors.__contains__)


def asked() -> Answers:
    """The answers of now."""
    sail, spark = ask("sail", expressions()), ask("spark", expressions())
    return {
        "same": {e: answer for e, answer in sail.items() if answer == spark[e]},
        "different": {
            e: {"sail": answer, "spark": spark[e]} for e, answer in sail.items() if answer != spark[e]
        },
    }


def pinned() -> Answers:
    """The answers that are known."""
    answers: Answers = json.loads(FILE.read_text(encoding="utf-8"))
    return answers


if __name__ == "__main__":
    FILE.write_text(json.dumps(asked(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
