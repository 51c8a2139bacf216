"""The wheel, away from the checkout, does what the task of a job says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse.deployment.bundle import User, read_bundle
from lakehouse.deployment.files import build_wheel, find_uv, project_files, wheel_file
from tests.python import PROJECT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(PROJECT, tmp_path_factory.mktemp("dist"))


def test_the_same_code_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert wheel_file(build_wheel(PROJECT, tmp_path)).version == wheel_file(wheel).version


def test_the_load_task_loads_with_the_wheel_and_the_uploaded_files(wheel: Path, tmp_path: Path) -> None:
    installed, project, landing, elsewhere = (
        tmp_path / name for name in ("installed", "project", "landing", "elsewhere")
    )
    install = [find_uv(PROJECT), "pip", "install", "--quiet", "--no-deps", "--target", str(installed)]
    subprocess.run([*install, "--python", sys.executable, str(wheel)], check=True)
    for name, content in project_files(PROJECT).contents.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)
    (landing / "events").mkdir(parents=True)
    (landing / "events" / "a.json").write_text('{"time":1,"action":"Open"}\nnoise\n')
    elsewhere.mkdir()

    given = {"home": str(tmp_path / "home"), "landing": str(landing), "warehouse_id": "w", "mail": "m@x.com"}
    load, _ = read_bundle(PROJECT, "dev", User("a@example.com"), "v", given).jobs["events"]["tasks"]
    _, *parameters = load["python_wheel_task"]["parameters"]
    command = [sys.executable, str(installed / "bin" / "lakehouse"), f"--project={project}", *parameters]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    where = [sys.executable, "-c", "import lakehouse; print(lakehouse.__file__)"]
    imported = subprocess.run(where, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert imported.stdout.startswith(str(installed))
    ran = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(DeltaTable(tmp_path / "home/warehouse/bronze.db/events_events").to_pyarrow_table()) == 1


def test_nothing_hidden_is_uploaded(tmp_path: Path) -> None:
    (tmp_path / "models" / ".secret").mkdir(parents=True)
    (tmp_path / "dbt_project.yml").write_text("model-paths: [models]")
    for name in (
        ".env",
        ".env.yml",
        "models/.env.yml",
        "models/.secret/a.sql",
        "models/a.sql",
        "models/a.py",
    ):
        (tmp_path / name).write_text("select 1")
    assert sorted(project_files(tmp_path).contents) == ["dbt_project.yml", "models/a.sql"]
