"""Exports as files: the same again, nothing left over, and errors that say what to do."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lakehouse.errors import UsageError
from lakehouse.exports import Kind
from lakehouse.exports.export import Export, export, write
from lakehouse.settings import load_settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.mark.parametrize("kind", ["powerbi", "clickhouse", "metric-views"])
def test_the_same_project_gives_the_same_bytes(project: "Manifest", tmp_path: Path, kind: Kind) -> None:
    settings = load_settings(LAKEHOUSE_HOME=str(tmp_path / "home"))
    contents = []
    for out in (tmp_path / "first", tmp_path / "second"):
        made = export(kind, project, settings)
        assert made.refused == {}
        write(made, out)
        files = [file for file in out.rglob("*") if file.is_file()]
        contents.append({file.relative_to(out): file.read_bytes() for file in files})
    assert contents[0] == contents[1] != {}


@pytest.mark.parametrize(
    ("kind", "shown_in"),
    [
        ("aibi", ["dashboards/supply_chain.lvdash.json"]),
        ("powerbi", ["Lakehouse.SemanticModel/definition/tables/Metrics.tmdl"]),
        ("metric-views", ["shipments_metrics.sql"]),
        ("clickhouse", []),
    ],
)
def test_a_metric_that_changes_its_definition_changes_what_shows_it_alone(
    project: "Manifest", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind, shown_in: list[str]
) -> None:
    settings = load_settings(LAKEHOUSE_HOME=str(tmp_path / "home"))
    before = export(kind, project, settings).files
    (subject,) = (model for model in project.semantic_models.values() if model.name == "shipments")
    (measure,) = (measure for measure in subject.measures if measure.name == "shipments")
    monkeypatch.setattr(measure, "expr", "case when carrier = 'none' then 1 end")
    after = export(kind, project, settings).files
    assert [name for name in after if after[name] != before[name]] == shown_in
    for name in shown_in:
        new = set(after[name].splitlines()) - set(before[name].splitlines())
        assert new and all("none" in line for line in new)


def test_a_table_that_is_gone_leaves_no_file(tmp_path: Path) -> None:
    write(Export({"model/tables/old.tmdl": "old", "notes.md": "x"}, owned=["model"]), tmp_path)
    (tmp_path / "model" / ".pbi").mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    write(Export({"model/tables/new.tmdl": "new"}, owned=["model"]), tmp_path)
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {"model/tables/new.tmdl", "notes.md", "mine.txt"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be written to .*/file .* Choose another --out"):
        write(Export({"a.sql": ""}), tmp_path / "file")
