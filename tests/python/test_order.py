"""The order of the project: who may read whom, and how long anything may be."""

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingestion.contracts import read_contracts
from tests.python import PROJECT

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest as DbtManifest

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(project: "DbtManifest") -> Manifest:
    """The project as dbt writes it."""
    written: Manifest = json.loads(json.dumps(project.writable_manifest().to_dict(omit_none=True)))
    return written


def models(manifest: Manifest, layer: str) -> list[dict[str, Any]]:
    """Models below `models/<layer>`."""
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == layer
    ]


def test_gold_reads_no_source(manifest: Manifest) -> None:
    assert [model["name"] for model in models(manifest, "gold") if model["sources"]] == []


def test_staging_reads_its_own_source(manifest: Manifest) -> None:
    parents = {node["unique_id"]: node["depends_on"].get("nodes", []) for node in manifest["nodes"].values()}
    for model in models(manifest, "silver"):
        source = model["fqn"][2]
        if source != "core":
            origins = {id for id in _ancestors(model["unique_id"], parents) if id.startswith("source.")}
            assert {id.split(".")[2] for id in origins} == {source}, model["name"]


def _ancestors(node: str, parents: dict[str, list[str]]) -> set[str]:
    above = parents.get(node, [])
    return {*above, *(ancestor for parent in above for ancestor in _ancestors(parent, parents))}


def test_every_source_table_is_accounted_for_and_goes_on_to_silver(manifest: Manifest) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    accounted = {
        tuple(test["sources"][0])
        for test in tests
        if test.get("test_metadata", {}).get("name") == "row_accounting"
    }
    for table in read_contracts(PROJECT / "models"):
        assert (table.source, table.name) in accounted, table.label
        children = manifest["child_map"][f"source.lakehouse.{table.source}.{table.name}"]
        assert any(child.startswith(("model.", "snapshot.")) for child in children), table.label


def test_gold_declares_the_keys_that_are_tested(manifest: Manifest) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    all_keys = {
        (f"ref('{model['name']}')", *constraint["columns"])
        for model in models(manifest, "gold")
        for constraint in model["constraints"]
        if constraint["type"] == "primary_key"
    }
    for model in models(manifest, "gold"):
        keys, references = set(), set()
        for test in (test for test in tests if test.get("attached_node") == model["unique_id"]):
            arguments = test["test_metadata"]["kwargs"]
            match test["test_metadata"]["name"]:
                case "primary_key" if not arguments.get("nullable"):
                    keys.add(tuple(arguments["columns"]))
                case "relationships":
                    # Unity Catalog refuses references to what has no key; dbt gives seeds none.
                    if (arguments["to"], arguments["field"]) in all_keys:
                        references.add((test["column_name"], arguments["to"], arguments["field"]))
        declared = model["constraints"]
        of_type = {
            kind: [c for c in declared if c["type"] == kind] for kind in ("primary_key", "foreign_key")
        }
        assert {tuple(c["columns"]) for c in of_type["primary_key"]} == keys, model["name"]
        foreign = {(*c["columns"], c["to"], *c["to_columns"]) for c in of_type["foreign_key"]}
        assert foreign == references, model["name"]
        required = {
            name
            for name, column in model["columns"].items()
            if any(c["type"] == "not_null" for c in column["constraints"])
        }
        assert required == {name for key in keys for name in key}, model["name"]


def test_only_what_knows_engines_asks_for_the_target(manifest: Manifest) -> None:
    asking = [
        file
        for file in _files("*.sql", "*.yml")
        if re.search(r"\btarget\.", (PROJECT / file).read_text())
        and not file.startswith(("macros/engines", "adapter"))
    ]
    assert asking == []


def test_no_analysis_has_the_name_of_a_table(manifest: Manifest) -> None:
    """The catalog of dbt has one node for each name, and would leave the table out."""
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("analysis", "model", "seed", "snapshot"):
            names[node["resource_type"] == "analysis"].add(node["name"])
    assert names[True] & names[False] == set()


def test_seeds_are_the_same_on_all_engines(manifest: Manifest) -> None:
    """dbt-spark writes quotes as they are, and an empty text where others write null."""
    for seed in (node for node in manifest["nodes"].values() if node["resource_type"] == "seed"):
        text = (PROJECT / seed["original_file_path"]).read_text()
        assert "'" not in text, seed["name"]
        texts = {name for name, column in seed["columns"].items() if column["data_type"] == "string"}
        for row in csv.DictReader(text.splitlines()):
            assert all(row[name] for name in texts), f"{seed['name']}: {row}"


def test_a_macro_is_in_the_file_of_its_name(manifest: Manifest) -> None:
    for macro in manifest["macros"].values():
        if macro["package_name"] == "lakehouse" and macro["original_file_path"].startswith("macros/"):
            stem = Path(macro["original_file_path"]).stem
            assert macro["name"] in (stem, f"materialization_{stem}_default"), macro["original_file_path"]


@pytest.mark.parametrize(
    ("pattern", "most"), [("models/**/*.sql", 120), ("*.py", 400), ("macros/**/*.sql", 120)]
)
def test_a_file_can_be_read_in_one_go(pattern: str, most: int) -> None:
    files = [file for file in _files(pattern) if not file.startswith("tests/")]
    assert [file for file in files if len((PROJECT / file).read_text().splitlines()) > most] == []


def test_the_adapter_knows_nothing_of_the_project() -> None:
    for file in _files("adapter/**/*.py"):
        assert not re.search(
            r"^\s*(from|import) (ingestion|lakehouse)\b", (PROJECT / file).read_text(), re.M
        ), file


def _files(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return [file for file in listed.stdout.splitlines() if (PROJECT / file).exists()]
