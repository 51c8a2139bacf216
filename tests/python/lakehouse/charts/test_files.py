"""Charts as files: pages and pictures that run nothing of what they show."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.charts.chart import table_chart
from lakehouse.charts.files import save
from lakehouse.errors import UsageError
from lakehouse.warehouse import Warehouse

from ..conftest import write_table
from .pages import faint_texts, needs_chromium, opened, violations

# What data may bring; `run` is what the page's title becomes when it runs.
_RUN = "document.title='run'"
_HOSTILE = [
    f"<script>{_RUN}</script>",
    f'"><img src=x onerror="{_RUN}">',
    f"</text></svg><script>{_RUN}</script>",
    f'<a href="javascript:{_RUN}">x</a>',
    f"javascript:{_RUN}",
    f"'+({_RUN})+'",
    "{{ 7 * 7 }} ${7*7}",
    "__proto__",
    f"]]> --> <svg onload={_RUN}>",
]


@needs_chromium
def test_a_page_runs_nothing_that_data_brings(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    hours = {
        "hour": [datetime(2026, 11, 20, 8, 3, tzinfo=UTC)] * len(_HOSTILE),
        "action": _HOSTILE,
        "event_count": list(range(1, len(_HOSTILE) + 1)),
    }
    write_table(warehouse.root, "gold.events_by_hour", pa.table(hours))
    models = tmp_path / "models"
    models.mkdir()
    unit = {"name": "event_count", "config": {"meta": {"unit": _HOSTILE[1]}}}
    model = {"name": "events_by_hour", "description": _HOSTILE[0], "columns": [unit]}
    (models / "_gold__models.yml").write_text(json.dumps({"models": [model]}))
    drawn = table_chart(warehouse, models, "gold.events_by_hour", "action", "event_count", "action")
    page_file, image = tmp_path / "chart.html", tmp_path / "chart.svg"
    for file in (page_file, image):
        save(drawn, file)
        with opened(file, "light") as page:
            assert page.evaluate("document.title") != "run"
            found = page.evaluate("document.querySelectorAll('script, img, a, [onerror], [onload]').length")
            assert found == 0
    with opened(page_file, "dark", 390) as page:
        page.get_by_text("Numbers", exact=True).click()
        assert page.get_by_role("rowheader", name=_HOSTILE[0], exact=True).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert (faint_texts(page), violations(page)) == ([], [])


def test_errors(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    write_table(warehouse.root, "gold.profits", pa.table({"year": [2025], "profit": [1]}))
    drawn = table_chart(warehouse, tmp_path, "profits", "year", "profit")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"x\.html cannot be written \("):
        save(drawn, tmp_path / "file" / "x.html")
    with pytest.raises(UsageError, match="unknown ending"):
        save(drawn, tmp_path / "x.jpg")
