"""Homes, landing zones, projects and files with any name work, or are refused before anything is done."""

import json
from pathlib import Path

from ..conftest import NO_DATA_TESTS, Lakehouse, copy_project

# All that a shell, a URL, SQL, YAML, Jinja or a pattern might take for something else.
_HARD = "-a b'c\"d%e#f?g&h+i{{j}}k{% l %}*m;n=$o:~ ä中🏃e\u0301"
# What Delta's writer cannot handle, and Python can.
_HARDER = "x[y]%20|^\\z\n"
_FILES = ("a:b\n'\"%41?#{{x}}*[y]\\ä🏃.json", f"{'n' * 250}.json", "-rf .json")
_EVENT = {"time": 1, "action": "Open"}


def _use(lakehouse: Lakehouse) -> None:
    """Generate, load, run twice, and look at it in all ways."""
    lakehouse.deliver(1)
    for number, name in enumerate(_FILES):
        (lakehouse.landing / "events" / name).write_text(json.dumps(_EVENT | {"time": number}))
    lakehouse.run("load", "--source", "events")
    for _ in range(2):
        assert " 0 failed" in lakehouse.run("run", "--source", "events")
    paths = lakehouse.rows("select distinct _source_file from bronze.events_events")
    assert {Path(str(path)).name for (path,) in paths} >= set(_FILES)
    answer = lakehouse.run(
        "query", "select sum(event_count) as n from gold.events_by_action", "--format=json"
    )
    assert json.loads(answer)[0]["n"] > 0
    assert "events.events" in lakehouse.run("status")
    chart = lakehouse.folder / "chart.svg"
    lakehouse.run("chart", "events_by_action", "--x=action", "--y=event_count", f"--out={chart}")
    lakehouse.run("report")
    assert chart.stat().st_size and (lakehouse.home / "report.html").stat().st_size


def test_home_and_landing_zone_have_any_name(tmp_path: Path) -> None:
    long = "n" * 255
    _use(Lakehouse(tmp_path / _HARD / long, dict(NO_DATA_TESTS), ("events",), 0.01))


def test_a_project_and_a_landing_zone_have_any_name_where_the_home_is_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / f"{_HARD} {_HARDER}"
    lakehouse = Lakehouse(folder, dict(NO_DATA_TESTS), ("events",), 0.01)
    project = copy_project(folder / "project")
    lakehouse.settings |= {"LAKEHOUSE_HOME": "", "LAKEHOUSE_PROJECT": str(project)}
    assert "LAKEHOUSE_HOME: " in lakehouse.run("status", exit_code=2)
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    plain = Lakehouse(tmp_path, lakehouse.settings, ("events",), 0.01)
    plain.settings |= {"LAKEHOUSE_HOME": f"{tmp_path}/link/", "LAKEHOUSE_LANDING": f"{folder}/landing/"}
    lakehouse.deliver(1)
    plain.run("load", "--source", "events")
    assert " 0 failed" in plain.run("run", "--source", "events")
    count = plain.value("select sum(event_count) from gold.events_by_action")
    project.rename(tmp_path / "renamed")
    plain.settings["LAKEHOUSE_PROJECT"] = str(tmp_path / "renamed")
    assert " 0 failed" in plain.run("run", "--source", "events")
    assert count and plain.value("select sum(event_count) from gold.events_by_action") == count
