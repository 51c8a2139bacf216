"""What the checks of `alerts.yml` find in tables, by their own queries on Sail."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from ingestion.contracts import Freshness, SourceTable
from lakehouse.alerts.declared import AnomalyCheck, Check, RowsCheck, read_checks
from lakehouse.alerts.findings import ITSELF, Answer, Finding, Lakehouse, ask
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT

from . import tables
from .tables import NOW

CHECKS: dict[str, Check] = {check.name: check for check in read_checks(PROJECT)}


def answer(
    folder: Path,
    check: str | Check,
    contracts: Sequence[SourceTable] = (),
    project: Path = PROJECT,
    is_complete: bool = True,
) -> Answer:
    lakehouse = Lakehouse(project, Warehouse(folder), contracts, is_complete, NOW)
    return ask(CHECKS[check] if isinstance(check, str) else check, lakehouse)


def figures(answer: Answer) -> list[tuple[str, float | None]]:
    """Entities and values of what was found."""
    assert answer.ran, answer
    return [(finding.entity, finding.value) for finding in answer.findings]


def test_a_fall_of_revenue_is_found_in_its_channel_and_in_the_total(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, newest=300, crm=[500] * 61)
    found = answer(tmp_path, "revenue")
    assert figures(found) == [("all channels", 800), ("shop", 300)]
    _, shop = found.findings
    assert shop.message == "300 on Sunday, 2026-08-02, expected 1,000 (700 to 1,300)"
    assert (shop.severity, shop.expected) == ("warn", 1000)
    assert figures(answer(tmp_path, "orders")) == [("all channels", 32), ("shop", 12)]


def test_the_day_that_still_runs_is_not_judged(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path)
    assert answer(tmp_path, "revenue") == Answer()


def test_a_small_channel_is_judged_in_the_total_only(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, small=[400] * 60 + [0])
    assert answer(tmp_path, "revenue") == Answer()
    tables.write_revenue(tmp_path, small=[400] * 60 + [4000])
    assert figures(answer(tmp_path, "revenue")) == [("all channels", 5000)]


def test_a_channel_that_ended_is_not_judged(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, ended=[900] * 60 + [0] + [None] * 55)
    assert figures(answer(tmp_path, "revenue")) == [("ended", 0)]
    tables.write_revenue(tmp_path, ended=[900] * 60 + [0] + [None] * 56)
    assert answer(tmp_path, "revenue") == Answer()


def test_the_total_is_of_days_that_all_channels_have_told_of(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, newest=300, late=[900] * 58 + [None] * 3)
    assert figures(answer(tmp_path, "revenue")) == [("shop", 300)]


def test_a_new_channel_is_learned(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, new=[600] * 20 + [0])
    assert answer(tmp_path, "revenue") == Answer(learning=["new"])


def test_a_source_that_brings_less_than_on_other_days_is_found(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, crm=[500] * 61, erp=[500] * 60 + [0], web=[500] * 60 + [100])
    assert figures(answer(tmp_path, "loaded_rows")) == [("erp", 0), ("web", 100)]


def test_days_on_which_nothing_at_all_was_loaded_say_nothing(tmp_path: Path) -> None:
    # A run a week.
    tables.write_loads(tmp_path, crm=[500, *[0] * 6] * 40, web=[*[500, *[0] * 6] * 39, 50, *[0] * 6])
    assert figures(answer(tmp_path, "loaded_rows")) == [("web", 50)]


def contract(name: str, *days: int) -> SourceTable:
    """A table of the source `api` that is late, and stale, after so many days."""
    periods = [{"count": count, "period": "day"} for count in days]
    freshness = dict(zip(("warn_after", "error_after"), periods, strict=False))
    return SourceTable.model_construct(source="api", name=name, freshness=Freshness.model_validate(freshness))


def test_late_stale_and_missing_tables_are_found(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, api=[10, 0, 0, 0])
    tables.write_extracts(tmp_path, ("asked", 1, None), ("failing", 1, "503"))
    named = ("t", "asked", "failing")
    found = answer(tmp_path, "deliveries", [contract(name, 2, 7) for name in named])
    assert [(finding.entity, finding.severity, finding.message) for finding in found.findings] == [
        ("api.t", "warn", "late: came last 4.0 days ago, 2026-07-30 08:00 UTC"),
        ("api.failing", "warn", "never came, while others of its source did"),
    ]
    assert [
        f.message.split(":")[0] for f in answer(tmp_path, "deliveries", [contract("t", 2, 3)]).findings
    ] == ["stale"]
    for fresh in (contract("t", 5, 7), contract("t"), contract("failing")):
        assert answer(tmp_path, "deliveries", [fresh]) == Answer()


def test_a_source_that_is_not_used_is_not_missing(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, crm=[10])
    assert answer(tmp_path, "deliveries", [contract("t", 2)]) == Answer()


def test_a_stale_table_has_the_severity_of_the_check_and_a_late_one_is_warned_of(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, api=[10, 0, 0, 0])
    strict = CHECKS["deliveries"].model_copy(update={"severity": "error"})
    severities = [
        answer(tmp_path, strict, [contract("t", *days)]).findings[0].severity for days in ((2, 3), (2, 7))
    ]
    assert severities == ["error", "warn"]


def test_an_extraction_that_stopped_is_found_until_the_next_one_ends(tmp_path: Path) -> None:
    tables.write_extracts(
        tmp_path, ("a", 2, None), ("a", 1, "503 of GET /a"), ("b", 2, "503"), ("b", 1, None)
    )
    assert answer(tmp_path, "extractions").findings == [
        Finding(
            "extractions",
            "api.a",
            "stopped after 3 pages, 250 records, 5 retries: 503 of GET /a",
            "error",
            5,
        )
    ]


def test_failed_tests_and_warnings_are_found(tmp_path: Path) -> None:
    tables.write_build(tmp_path, 1, wrong=("fail", 2, 0), odd=("warn", 3, 0))
    found = answer(tmp_path, "failed_tests")
    assert sorted((f.entity, f.severity, f.value, f.message) for f in found.findings) == [
        ("odd", "warn", 3, "gold.fct: 3 wrong rows"),
        ("wrong", "error", 2, "gold.fct: 2 wrong rows"),
    ]


def test_tests_and_models_that_could_not_run_are_counted(tmp_path: Path) -> None:
    # What failed two days ago and did not run since is no test of this build.
    tables.write_build(tmp_path, 3, models_failed=2, before=("fail", 1, 2), wrong=("fail", 1, 0))
    found = dict(figures(answer(tmp_path, "failed_tests")))
    assert found == {"before": 1, "wrong": 1, "tests without rows": 2, "models": 2}


def test_a_fall_of_stock_that_sales_do_not_explain_is_found_on_the_newest_day(tmp_path: Path) -> None:
    tables.write_stock(
        tmp_path,
        (1, "A", 1, 3, True, False),
        (1, "B", 1, 3, True, True),
        (1, "C", 2, 0, True, False),
        (2, "D", 1, 0, True, False),
    )
    assert figures(answer(tmp_path, "stock_drops")) == [("A at 1", 3), ("C at 2", 0)]


def test_an_article_that_ran_out_is_found_while_it_sells(tmp_path: Path) -> None:
    rows = [
        (1, "A", 1, 0, False, False),
        (1, "B", 1, -2, False, False),
        (1, "C", 1, 1, False, False),
        (2, "D", 1, 0, False, False),
    ]
    tables.write_stock(tmp_path, *rows)
    found = answer(tmp_path, "stock_outs")
    assert figures(found) == [("A at 1", 0), ("B at 1", -2)]
    assert found.findings[0].message == "0 are left on 2026-08-02; all locations have 1.50 days of cover"
    tables.write_stock(tmp_path, *rows, days_of_cover=None)
    assert answer(tmp_path, "stock_outs") == Answer()


def test_unmatched_payments_are_told_with_their_sum(tmp_path: Path) -> None:
    tables.write_payments(tmp_path, ("EUR", "10.10", "11.00"), ("EUR", "0.05", "0.06"), ("XXX", "7", None))
    found = answer(tmp_path, "payments_without_order")
    assert sorted(figures(found)) == [("EUR", 10.15), ("XXX", 7)]
    eur = next(finding.message for finding in found.findings if finding.entity == "EUR")
    assert eur.startswith("2 payments of 10.15 EUR (11.06 USD) look like payments of shop orders")


def test_rows_below_the_least_are_left_out(tmp_path: Path) -> None:
    tables.write_payments(tmp_path, ("EUR", "10", "11"), ("USD", "9", "9"))
    check = CHECKS["payments_without_order"].model_copy(update={"at_least": 10})
    assert figures(answer(tmp_path, check)) == [("EUR", 10)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select 1 as entity from nowhere", "it could not run: "),
        ("select 'a' as entity, 1 as value", "it could not run: its query gives no column 'message'"),
        ("drop table x", "it could not run: Only queries can be run"),
        ("select 'a' as entity, from {{ ref('revenue_daily') }}", "it could not run: "),
        ("select * from {{ ref('gone') }}", "it could not run: There is no table gone; was it built?"),
    ],
)
def test_a_check_that_could_not_run_is_found_itself(tmp_path: Path, sql: str, reason: str) -> None:
    queries = tmp_path / "project" / "analyses" / "checks"
    queries.mkdir(parents=True)
    (queries / "mine.sql").write_text(sql)
    tables.write_revenue(tmp_path / "warehouse")
    check = RowsCheck(name="mine", description="", kind="rows", severity="error", owner="me", link="here")
    found = answer(tmp_path / "warehouse", check, project=tmp_path / "project")
    assert not found.ran
    (finding,) = found.findings
    assert (finding.check, finding.entity, finding.severity) == ("mine", ITSELF, "error")
    assert finding.message.startswith(reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("null", "it could not run: shop has no value on 2026-08-02"), ("'x'", "it could not run: ")],
)
def test_a_series_without_values_could_not_run(tmp_path: Path, value: str, reason: str) -> None:
    queries = tmp_path / "project" / "analyses" / "checks"
    queries.mkdir(parents=True)
    columns = f"'shop' as entity, date '2026-08-02' as date_day, {value} as value, 1 as size"
    (queries / "revenue.sql").write_text(f"select {columns}")
    tables.write_loads(tmp_path / "warehouse", crm=[1])
    found = answer(tmp_path / "warehouse", "revenue", project=tmp_path / "project")
    assert [finding.message.startswith(reason) for finding in found.findings] == [True]
    assert not found.ran


def test_a_damaged_table_is_a_check_that_could_not_run(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path)
    for file in (tmp_path / "gold.db" / "revenue_daily").glob("*.parquet"):
        file.unlink()
    found = answer(tmp_path, "revenue")
    assert not found.ran and [finding.entity for finding in found.findings] == [ITSELF]


def test_models_that_were_never_built_are_left_out_but_not_those_that_are_gone(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, crm=[1])
    assert answer(tmp_path, "revenue", is_complete=False).is_left_out
    assert [finding.entity for finding in answer(tmp_path, "revenue").findings] == [ITSELF]


def test_a_log_that_nothing_was_written_to_is_no_failure(tmp_path: Path) -> None:
    tables.write_loads(tmp_path, crm=[1])
    assert answer(tmp_path, "extractions") == Answer()


def test_thresholds_are_those_of_the_check(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, newest=600)
    check = CHECKS["revenue"]
    assert isinstance(check, AnomalyCheck)
    assert len(answer(tmp_path, check).findings) == 2
    patient = check.thresholds.model_copy(update={"least_change": 0.5})
    assert answer(tmp_path, check.model_copy(update={"thresholds": patient})) == Answer()


def test_today_is_the_day_of_the_clock_also_where_a_model_calls_it_complete(tmp_path: Path) -> None:
    tables.write_revenue(tmp_path, newest=300)
    check = CHECKS["revenue"]
    before = Lakehouse(PROJECT, Warehouse(tmp_path), (), True, NOW - timedelta(days=1))
    assert ask(check, before) == Answer()
