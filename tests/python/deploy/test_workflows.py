"""The workflows of GitHub: what linters say of them, and what holds for each."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.python import PROJECT

GITHUB = PROJECT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONLINT = shutil.which("actionlint", path=f"{PROJECT / '.cache' / 'bin'}{os.pathsep}{os.environ['PATH']}")
OURS = "./.github/"


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job with its name."""
    for file in WORKFLOWS:
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            yield f"{file.name}: {name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs():
        yield from ((name, step) for step in job.get("steps", []))


def test_zizmor_finds_nothing() -> None:
    assert "No findings" in run("zizmor", "--offline", "--no-progress", str(GITHUB))


@pytest.mark.skipif(ACTIONLINT is None, reason="there is no actionlint: `python -m tools.install actionlint`")
def test_actionlint_finds_nothing() -> None:
    assert ACTIONLINT is not None
    run(ACTIONLINT, *map(str, WORKFLOWS))


def test_actions_are_pinned_by_digest() -> None:
    used = [step["uses"] for _, step in steps() if "uses" in step]
    used += [job["uses"] for _, job in jobs() if "uses" in job and not job["uses"].startswith(OURS)]
    assert len(used) > 10
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_a_digest_has_one_version_in_all_workflows() -> None:
    text = "".join(file.read_text() for file in WORKFLOWS)
    pinned = set(re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)  # (v[\d.]+)", text))
    assert len({action for action, _, _ in pinned}) == len(pinned)


def test_rights_are_given_job_by_job() -> None:
    for file in WORKFLOWS:
        assert yaml.safe_load(file.read_text())["permissions"] == {}, file.name
    for name, job in jobs():
        assert job["permissions"], name
        if job["permissions"].get("id-token") == "write":
            # Federation trusts an environment.
            assert job["environment"], name


def test_no_checkout_leaves_its_token_and_no_job_runs_for_ever() -> None:
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name
    assert all("timeout-minutes" in job for _, job in jobs() if "steps" in job)


def test_scripts_get_what_comes_from_outside_as_variables() -> None:
    assert [name for name, step in steps() if "${{" in step.get("run", "")] == []


def test_only_what_was_approved_is_deployed() -> None:
    deploy = yaml.safe_load((GITHUB / "workflows" / "deploy.yml").read_text())["jobs"]
    assert deploy["plan"]["needs"] == "checks" and deploy["deploy"]["needs"] == "plan"
    *before, script = [step["run"] for step in deploy["deploy"]["steps"] if "run" in step]
    assert not any("lakehouse deploy" in run for run in before)
    planned, compared, deployed = script.splitlines()
    assert "--dry-run --json > plan.json" in planned and compared == "diff approved/plan.json plan.json"
    assert deployed.endswith('lakehouse deploy --target "$TARGET"')
    assert deploy["deploy"]["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize(("approved", "deploys"), [('{"jobs": 2}', True), ('{"jobs": 1}', False)])
def test_the_script_deploys_what_was_approved_and_nothing_else(
    tmp_path: Path, approved: str, deploys: bool
) -> None:
    job = yaml.safe_load((GITHUB / "workflows" / "deploy.yml").read_text())["jobs"]["deploy"]
    (script,) = (step for step in job["steps"] if "lakehouse deploy" in step.get("run", ""))
    # A workflow of this step alone after the download, with a `uv` that writes down what it is asked for.
    download = {"run": f"mkdir approved && cp {tmp_path}/plan.json approved"}
    alone = {"runs-on": "here", "env": {"TARGET": "staging"}, "steps": [download, script]}
    files = {
        ".github/workflows/deploy.yml": yaml.safe_dump({"on": "push", "jobs": {"deploy": alone}}),
        "plan.json": f"{approved}\n",
        "bin/uv": f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\necho \'{{"jobs": 2}}\'\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "bin" / "uv").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    act = ["act", "push", "--platform", "here=-self-hosted"]
    done = subprocess.run(act, cwd=tmp_path, env=environment, capture_output=True, text=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert (done.returncode == 0) is deploys, done.stdout + done.stderr
    assert asked[0].endswith("--target staging --dry-run --json")
    assert [line.endswith("lakehouse deploy --target staging") for line in asked[1:]] == [True] * deploys


def test_updates_wait_for_a_week() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "uv", "docker"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
