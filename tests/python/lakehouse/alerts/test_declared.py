"""What `alerts.yml` may say, and what is said of mistakes in it."""

from datetime import date
from pathlib import Path

import pytest

from lakehouse.alerts.declared import read_checks
from lakehouse.errors import UsageError
from tests.python import PROJECT

ROWS = "{name: stock, description: Out., kind: rows, owner: me, link: here%s}"


def declare(folder: Path, text: str) -> Path:
    (folder / "alerts.yml").write_text(text)
    queries = folder / "analyses" / "checks"
    queries.mkdir(parents=True, exist_ok=True)
    (queries / "stock.sql").touch()
    return folder


def test_each_query_of_the_project_has_its_check() -> None:
    names = {check.name for check in read_checks(PROJECT) if check.kind != "freshness"}
    assert names == {file.stem for file in (PROJECT / "analyses" / "checks").glob("*.sql")}


def test_a_snooze_is_for_all_entities_or_for_some(tmp_path: Path) -> None:
    def until(snooze: str) -> list[date | None]:
        (check,) = read_checks(declare(tmp_path, f"checks:\n- {ROWS % snooze}"))
        return [check.snoozed_until("a"), check.snoozed_until("b")]

    day = date(2026, 12, 24)
    assert until("") == [None, None]
    assert until(", snooze: {until: 2026-12-24}") == [day, day]
    assert until(", snooze: {until: 2026-12-24, entities: [b]}") == [None, day]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("checks: [", "is no YAML"),
        ("alerts: []", "has no list `checks`"),
        ("checks: {}", "checks: Input should be a valid list"),
        (f"checks: [{ROWS % ', severity: fatal'}]", "stock: severity: Input should be 'warn' or 'error'"),
        (
            f"checks: [{ROWS % ', snooze: {until: soon}'}]",
            "stock: snooze.until: Input should be a valid date",
        ),
        (f"checks: [{ROWS % ', owners: us'}]", "stock: owners: Extra inputs are not permitted"),
        ("checks: [{name: stock}]", "stock: Unable to extract tag using discriminator 'kind'"),
        ("checks: [nothing]", "check 1: "),
        (f"checks: [{ROWS % ''}, {ROWS % ''}]", "more than once: stock"),
        (f"checks: [{(ROWS % '').replace('stock', 'revenue')}]", "revenue: there is no"),
        (f"checks: [{(ROWS % '').replace('rows', 'anomaly')}]", "stock: thresholds: Field required"),
    ],
)
def test_a_mistake_is_told_with_file_and_check(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_checks(declare(tmp_path, text))
    assert problem in str(raised.value)
    assert str(tmp_path / "alerts.yml") in str(raised.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"alerts\.yml cannot be read: No such file"):
        read_checks(tmp_path)
